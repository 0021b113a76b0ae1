"""Certificates of one instance: what is wanted, what is there, and the loop that orders and renews.

    want() ─► shelf ─► needs ──┐
    ARI, lifetime ─► journal ──┼─► due, the earliest first, four at a time ─► order ─► shelf ─► changed()
    renew() ───────────────────┘                                     └─ failed ─► journal, later

Started only when there is a resolver. Nothing that fails here takes a certificate away: what is stored is served for as
long as it is there. The loop sleeps until something is due; files that others have changed are noticed on the way.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from daemun.acme import backoff, inquiry, report, status
from daemun.acme.account import Session
from daemun.acme.blocking import call
from daemun.acme.challenge import Challenges
from daemun.acme.clock import LONGEST, Clock, WallClock
from daemun.acme.journal import Entry, Failure, Journal, Renewal
from daemun.acme.names import normal
from daemun.acme.needs import Need, needs
from daemun.acme.order import Elsewhere, Ordering
from daemun.acme.preflight import Preflight
from daemun.acme.refusal import Refusal, understood
from daemun.acme.renewal import Draw, identifier
from daemun.acme.resolver import Resolver, Wish
from daemun.acme.sessions import NoSession, Sessions
from daemun.acme.shelf import Shelf
from daemun.acme.store import Stored
from daemun.certificates.material import Material
from daemun.config.local_names import is_covered
from daemun.errors import Problem

_log = structlog.get_logger()

_AT_ONCE = 4
_ELSEWHERE = timedelta(seconds=2)
_LOOK = timedelta(seconds=LONGEST)
_LOOK_AT_BROKEN = timedelta(seconds=60)


class Acme:
    """`changed` is called (in the event loop) when `materials()` has changed by itself, not by `want`."""

    def __init__(
        self,
        *,
        directory: Path,
        challenges: Challenges,
        changed: Callable[[], None],
        status_file: Path | None = None,
        clock: Clock | None = None,
        draw: Draw = random.random,
        preflight: Preflight | None = None,
    ) -> None:
        self._directory = directory
        self._challenges = challenges
        self._changed = changed
        self._status_file = status_file
        self._clock: Clock = clock or WallClock()
        self._draw = draw
        self._preflight = preflight or Preflight(challenges, now=self._clock.now)
        self._sessions = Sessions(directory=directory, now=self._clock.now)
        self._shelf = Shelf(directory)
        self._said = report.Said()
        self._started = self._clock.now()
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._failing = asyncio.Lock()
        self._resolvers: dict[str, Resolver] = {}
        self._wishes: tuple[Wish, ...] = ()
        self._covered: frozenset[str] = frozenset()
        self._needs: dict[str, Need] = {}
        self._problems: tuple[Problem, ...] = ()
        self._handed: Mapping[str, Material] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._forced: dict[str, bool] = {}
        self._held: dict[str, datetime] = {}
        self._warnings: dict[str, tuple[str, ...]] = {}

    async def want(self, resolvers: Sequence[Resolver], wishes: Sequence[Wish], covered: Collection[str] = ()) -> None:
        """Take what is wanted from now on. Afterwards `materials()` has what is stored for these resolvers."""
        self._resolvers = {resolver.name: resolver for resolver in resolvers}
        self._wishes = tuple(wishes)
        self._covered = frozenset(normal(name) for name in covered)
        await self._look()
        self._handed = self.materials()
        self._wake.set()

    def materials(self) -> Mapping[str, Material]:
        """Return what can be used now, by id; what has expired only while it is wanted."""
        now = self._clock.now()
        wanted = {(need.resolver, need.current.names) for need in self._needs.values() if need.current is not None}
        return {
            identity: stored.material
            for identity, stored in self._shelf.materials().items()
            if stored.material.not_after > now or (stored.resolver, stored.names) in wanted
        }

    def renew(self, name: str, *, new_key: bool = False) -> list[str]:
        """Order anew what serves this name (or has this id), at once; return the ids, none when nobody wants it."""
        wanted = normal(name)
        found = [need.id for need in self._needs.values() if need.id == name or is_covered(wanted, need.names)]
        self._forced |= dict.fromkeys(found, new_key)
        self._wake.set()
        return found

    async def run(self) -> None:
        """Order and renew until cancelled."""
        try:
            while True:
                self._wake.clear()
                await self._look()
                self._tell()
                await self._clock.wait(self._start_due(), self._wake)
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._sessions.close(), return_exceptions=True)

    # What there is.

    async def _look(self) -> None:
        """See what stands in the files now, what is needed, and when it is renewed."""
        async with self._looking:
            await call(self._shelf.look, list(self._resolvers.values()))
            found, problems = needs(self._resolvers, self._wishes, covered=self._covered, stored=self._shelf.stored)
            self._needs = {need.id: need for need in found}
            await self._plan_renewals()
            more = (problem for those in self._shelf.problems.values() for problem in those)
            self._problems = (*self._shelf.broken.values(), *problems, *more)
            self._said.problems(self._problems)
        await self._write_status()

    async def _plan_renewals(self) -> None:
        """Draw a moment for each certificate that has none yet; forget orders that ended just before a crash."""
        now = self._clock.now()
        new: dict[Path, dict[str, Renewal]] = {}
        ended: dict[Path, list[str]] = {}
        for need in self._needs.values():
            if need.current is None:
                continue
            resolver = self._resolvers[need.resolver]
            named = identifier(need.current.material)
            path, entries = self._shelf.path(resolver), self._shelf.journal_of(resolver)
            known, order = entries.renewals.get(need.id), entries.orders.get(need.id)
            if known is None or known.certificate != named:
                renewal = inquiry.first(named, need.current.material, resolver, now=now, draw=self._draw)
                new.setdefault(path, {})[need.id] = renewal
            if order is not None and order.replaces != named and need.id not in self._running:
                ended.setdefault(path, []).append(need.id)
        for path in (new.keys() | ended.keys()) - self._shelf.broken.keys():
            await call(self._shelf.keep, path, new.get(path, {}), without_orders=ended.get(path, ()))

    def _tell(self) -> None:
        """Tell whoever hands certificates on when there are others than before."""
        materials = self.materials()
        if materials != self._handed:
            self._handed = materials
            self._changed()

    async def _write_status(self) -> None:
        if self._status_file is None:
            return
        now = self._clock.now()
        entries = {name: self._shelf.journal_of(resolver) for name, resolver in self._resolvers.items()}
        failures = {need.id: found[-1] for need in self._needs.values() if (found := self._failures(need))}
        table = report.rows(
            self._needs.values(),
            self._shelf.materials(),
            now=now,
            entries=entries,
            failures=failures,
            ordering=set(self._running),
            warnings=self._warnings,
        )
        said = [
            f"{problem.place}: {problem.message}" if problem.place else problem.message for problem in self._problems
        ]
        try:
            await call(status.write, self._status_file, table, said, now=now)
        except OSError as error:
            if self._said.is_new("status", error.errno):
                _log.warning("the status of certificates cannot be written", reason=error.strerror)

    # What is due.

    def _start_due(self) -> datetime:
        """Start what is due, as far as there is room; return when to look again."""
        now = self._clock.now()
        moments = [now + (_LOOK_AT_BROKEN if self._shelf.broken else _LOOK)]
        agenda = [(self._due(need, now), need, need.id) for need in self._needs.values()]
        asks = [(self._ask_at(need, now), need, f"{need.id} ask") for need in self._needs.values()]
        agenda += [(moment, need, key) for moment, need, key in asks if moment is not None]
        for moment, need, key in sorted(agenda, key=lambda item: item[0]):
            if key in self._running:
                continue
            if moment > now:
                moments.append(moment)
            elif len(self._running) < _AT_ONCE:
                work = self._order(need) if key == need.id else self._ask(need)
                task = self._running[key] = asyncio.create_task(work, name=key)
                task.add_done_callback(self._ended)
        return min(moments)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task.get_name(), None)
        self._wake.set()

    def _due(self, need: Need, now: datetime) -> datetime:
        """Return when these names are to be ordered."""
        resolver = self._resolvers[need.resolver]
        if self._shelf.path(resolver) in self._shelf.broken:
            return now + _LOOK
        moments = [self._held.get(need.id, now)]
        if need.id not in self._forced:
            moments += [failure.next for failure in self._failures(need)]
            if need.current is not None and need.current.material.not_after > now:
                renewal = self._shelf.journal_of(resolver).renewals.get(need.id)
                moments.append(now + _LOOK if renewal is None else renewal.moment)
        return max(moments)

    def _ask_at(self, need: Need, now: datetime) -> datetime | None:
        """Return when the authority is asked about the renewal of what is there (RFC 9773: never after its end)."""
        renewal = self._shelf.journal_of(self._resolvers[need.resolver]).renewals.get(need.id)
        if need.current is None or renewal is None or need.current.material.not_after <= now:
            return None
        return renewal.ask_at

    def _failures(self, need: Need) -> list[Failure]:
        """Return what failed last: for the whole resolver, then for these names."""
        resolver = self._resolvers[need.resolver]
        failures = self._shelf.journal_of(resolver).failures
        found = (failures.get(key) for key in (_whole(resolver), need.id))
        return [
            backoff.at_start(one) if one.at < self._started else one
            for one in found
            if one is not None and one.ca_server == resolver.ca_server
        ]

    # What is done.

    async def _order(self, need: Need) -> None:
        """Order a certificate; whatever goes wrong is said, and tried again later."""
        resolver = self._resolvers[need.resolver]
        new_key = self._forced.pop(need.id, False)
        await self._write_status()
        try:
            stored = await self._obtain(need, resolver, new_key=new_key)
        except Elsewhere:
            self._held[need.id] = self._clock.now() + _ELSEWHERE
        except NoSession as error:
            await self._failed(need, understood(error.cause), key=_whole(resolver))
        except Exception as error:  # noqa: BLE001 - a loop that ended for ever would be worse
            await self._failed(need, understood(error), key=need.id)
        else:
            self._held.pop(need.id, None)
            self._warnings.pop(need.id, None)
            self._said.forget(need.id)
            _log.info(
                "certificate obtained",
                names=", ".join(stored.names),
                resolver=resolver.name,
                issuer=stored.material.issuer,
                until=stored.material.not_after.isoformat(),
            )
            await self._works_again(resolver)
            await self._look()  # before this order counts as ended: what it brought is seen

    async def _obtain(self, need: Need, resolver: Resolver, *, new_key: bool) -> Stored:
        known = self._shelf.journal_of(resolver).failures.get(need.id)
        session = await self._sessions.of(resolver)
        for last in (False, True):
            ordering = self._ordering(need, resolver, session)
            try:
                return await ordering.obtain(need, attempt=known.count if known else 0, new_key=new_key)
            except Refusal as error:
                if error.kind != "accountDoesNotExist" or last:
                    raise
                _log.warning("the authority does not know the stored account: it is registered again", said=str(error))
                session = await self._sessions.of(resolver, instead=session)
        raise AssertionError  # not reached

    def _ordering(self, need: Need, resolver: Resolver, session: Session) -> Ordering:
        async def look_ahead(names: Sequence[str], kind: str) -> None:
            found = tuple(finding.message for finding in await self._preflight.check(names, kind))
            self._warnings[need.id] = found
            if self._said.is_new(f"{need.id} ahead", found):
                for message in found:
                    _log.warning(message, resolver=need.resolver, **report.place(need))

        return Ordering(
            resolver,
            session=session,
            challenges=self._challenges,
            directory=self._directory,
            clock=self._clock,
            before=look_ahead,
        )

    async def _ask(self, need: Need) -> None:
        """Ask the authority when the certificate should be renewed."""
        resolver, current = self._resolvers[need.resolver], need.current
        before = self._shelf.journal_of(resolver).renewals.get(need.id)
        if current is None or before is None:
            return
        try:
            session = await self._sessions.of(resolver)
            answer = await call(session.authority.renewal_info, before.certificate)
        except Exception as error:  # noqa: BLE001 - what is known stays, and it is asked again
            refused = understood(error.cause if isinstance(error, NoSession) else error)
            _log.debug("no renewal information", names=", ".join(need.names), reason=refused.message)
            renewal = inquiry.unanswered(before, now=self._clock.now(), retry_at=refused.retry_at)
        else:
            now = self._clock.now()
            renewal = inquiry.answered(before, answer, current.material, resolver, now=now, draw=self._draw)
        await self._keep(resolver, {need.id: renewal})

    async def _failed(self, need: Need, refused: Refusal, *, key: str) -> None:
        async with self._failing:
            await self._record(need, refused, key=key)

    async def _record(self, need: Need, refused: Refusal, *, key: str) -> None:
        resolver = self._resolvers.get(need.resolver)
        if resolver is None:
            return
        now = self._clock.now()
        current = need.current
        before = self._shelf.journal_of(resolver).failures.get(key)
        if before is not None and before.at >= self._started and before.next > now and key != need.id:
            return  # another order has just failed at the same
        failure = backoff.failed(
            refused,
            ca_server=resolver.ca_server,
            before=before,
            now=now,
            left=None if current is None else max(current.material.not_after - now, timedelta(0)),
            draw=self._draw,
        )
        self._said.failure(key, need, failure, has_certificate=current is not None)
        await self._keep(resolver, {key: failure})

    async def _keep(self, resolver: Resolver, entries: Mapping[str, Entry]) -> None:
        async with self._looking:
            await call(self._shelf.keep, self._shelf.path(resolver), entries)

    async def _works_again(self, resolver: Resolver) -> None:
        """Forget what had failed for the whole resolver."""
        if _whole(resolver) in self._shelf.journal_of(resolver).failures:
            await call(Journal(self._shelf.path(resolver)).drop, [_whole(resolver)], Failure)
        self._said.forget(_whole(resolver))


def _whole(resolver: Resolver) -> str:
    """Return the key under which a failure stands that concerns every order of a resolver."""
    return f"acme:{resolver.name}"
