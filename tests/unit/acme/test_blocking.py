"""Blocking calls in threads of their own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from daemun.acme.blocking import call
from daemun.acme.clock import WallClock


def test_values_and_errors() -> None:
    """What the function gives or raises comes back, and it runs in another thread."""

    async def scenario() -> None:
        assert await call(lambda: threading.current_thread() is threading.main_thread()) is False
        assert await call(divmod, 7, 3) == (2, 1)
        with pytest.raises(ZeroDivisionError):
            await call(divmod, 7, 0)

    asyncio.run(scenario())


def test_cancelled() -> None:
    """A cancelled call is over at once, whatever its thread still does; nor does the loop's end wait for it."""
    leave, began = threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        leave.wait(60)

    async def scenario() -> None:
        task = asyncio.create_task(call(hang))
        await asyncio.to_thread(began.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert not leave.is_set()
    leave.set()


def test_a_cancellation_with_the_event() -> None:
    """A wait that is cancelled in the moment in which it is woken ends cancelled (asyncio.wait_for forgets it)."""

    async def scenario() -> None:
        clock, wake = WallClock(), asyncio.Event()

        async def forever() -> None:
            while True:
                wake.clear()
                await clock.wait(clock.now().replace(year=9999), wake)

        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        wake.set()
        await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done == {task}
        assert task.cancelled()

    asyncio.run(scenario())
