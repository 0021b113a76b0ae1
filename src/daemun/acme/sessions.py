"""Sessions with authorities, one for each resolver, opened when the first order needs one and kept.

Orders that need one at the same time wait for the one that opens it; when that fails, all of them have failed with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from daemun.acme.account import Session, open_session
from daemun.acme.blocking import call
from daemun.acme.resolver import Resolver


class NoSession(Exception):
    """There is no account to order with, for the reason that caused this."""

    def __init__(self, cause: Exception, *, resolver: Resolver) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.resolver = resolver


class Sessions:
    """The sessions of one instance."""

    def __init__(self, *, directory: Path, now: Callable[[], datetime]) -> None:
        self._directory = directory
        self._now = now
        self._open: dict[str, tuple[Resolver, Session]] = {}
        self._opening: dict[str, asyncio.Task[Session]] = {}

    async def of(self, resolver: Resolver, *, instead: Session | None = None) -> Session:
        """Return the resolver's session; `instead` of one whose account the authority does not know, a new one.

        Raises NoSession.
        """
        known = self._open.get(resolver.name)
        if known is not None and known[0] == resolver and known[1] is not instead:
            return known[1]
        task = self._opening.get(resolver.name)
        if task is None:
            work = self._make(resolver, fresh=instead is not None)
            task = self._opening[resolver.name] = asyncio.create_task(work, name=f"account {resolver.name}")
            task.add_done_callback(lambda _: self._opening.pop(resolver.name, None))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise NoSession(error, resolver=resolver) from error

    async def close(self) -> None:
        """Stop what is being opened."""
        tasks = list(self._opening.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, resolver: Resolver, *, fresh: bool) -> Session:
        session = await call(open_session, resolver, directory=self._directory, now=self._now, fresh=fresh)
        self._open[resolver.name] = (resolver, session)
        return session
