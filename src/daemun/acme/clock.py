"""Time, as an argument: tests hand in a clock of their own.

Moments are aware datetimes (UTC) of the wall clock, for certificates and authorities speak of it, and because they
outlive a restart. A machine that slept or whose clock was set is noticed within `LONGEST` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Protocol

LONGEST = 300.0


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime:
        """Return the moment, UTC."""
        ...

    async def wait(self, moment: datetime, wake: asyncio.Event | None = None) -> None:
        """Return at the moment or before it; at once when `wake` is set."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the moment, UTC."""
        return datetime.now(UTC)

    async def wait(self, moment: datetime, wake: asyncio.Event | None = None) -> None:
        """Return at the moment, when woken, or after `LONGEST`."""
        seconds = min(max((moment - self.now()).total_seconds(), 0.0), LONGEST)
        if wake is None:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), seconds)


async def sleep(clock: Clock, moment: datetime) -> None:
    """Return when the moment has come."""
    while clock.now() < moment:
        await clock.wait(moment)
