"""Blocking calls beside the event loop: the ACME library and file locks.

    await call(function, …)      in a thread of its own

Unlike `asyncio.to_thread` a cancelled call holds nobody up: its thread is a daemon and what it returns is dropped, so
that an authority which does not answer never delays the end of the process. The number of calls is bounded by callers.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


async def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the function in a thread; what it raises is raised here."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            value = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
            settle = partial(_fail, future, error)
        else:
            settle = partial(_finish, future, value)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, name=f"acme {getattr(function, '__name__', '')}", daemon=True).start()
    return await future


def _finish(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
