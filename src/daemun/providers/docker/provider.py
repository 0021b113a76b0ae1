"""One Docker engine as a provider: its containers, told of as dynamic configurations.

    connect ─► events, from here on ─► list, inspect ─► Read … Read ── lost ──► wait, connect again
                     │                     ▲
                     ├─ start, healthy ────┘ at most once in `throttle` seconds
                     └─ kill, stop, die ───► the container's servers go at once

Facts (Traefik v3.7): the first change is taken at once, whatever comes within the throttle's time after it together,
at its end. Decisions: what only takes away (`die`) waits for that time, and leaves the first place to what begins, for
its servers are gone already; a connection that is lost changes nothing, and everything is listed again when it is found.
An engine that is away at the start is believed to have what it had last (store.py). What labels mean is configuration.py's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from daemun.errors import Problem, ProviderError
from daemun.providers.docker.advice import remedy_of
from daemun.providers.docker.client import Client, Refused
from daemun.providers.docker.configuration import configuration_of
from daemun.providers.docker.container import Container
from daemun.providers.docker.draining import without_servers
from daemun.providers.docker.exposure import seen
from daemun.providers.docker.host import LOCAL, host_address
from daemun.providers.docker.roster import ACTIONS, Due, Roster
from daemun.providers.docker.store import Store
from daemun.providers.said import Read, Said, Seen, Silent
from daemun.traefik.docker_options import DockerOptions
from daemun.traefik.dynamic import Dynamic

_log = structlog.get_logger()

_FIRST_DELAY, _LONGEST_DELAY = 0.25, 5.0
# How long an engine may take to answer the first time before what it had last is believed, seconds.
_START_PATIENCE = 2.0
_FILTERS = quote(json.dumps({"type": ["container", "network"], "event": list(ACTIONS)}))
_LOOK_BACK = 10  # seconds: what `docker stop` gives a container
_NOT_FOUND = 404
_MOST_NAMES = 10

Tell = Callable[[Said], None]


@dataclass(slots=True, kw_only=True)
class DockerProvider:
    """The provider of this name. `beside` is the static file; in the directory `state` something may be kept."""

    name: str
    options: DockerOptions
    throttle: float
    beside: Path | None = None
    state: Path | None = None
    _roster: Roster = field(default_factory=Roster)
    _listed: float = float("-inf")
    _told: tuple[tuple[Container, ...], frozenset[str]] | None = None
    _whole: tuple[tuple[Container, ...], Dynamic, list[Problem]] | None = None
    _host: str = ""
    _silent: bool = True
    _followed: bool = False
    _complaint: str = ""

    async def run(self, tell: Tell) -> None:
        """Tell what the containers define, at once and after each change, until cancelled.

        Ends by itself only without `watch`. Tells Silent when the engine is away at the start and nothing is known of it.
        """
        patience = asyncio.get_running_loop().call_later(_START_PATIENCE, self._believe_last, tell)
        delay = _FIRST_DELAY
        try:
            while True:
                self._followed = False
                try:
                    return await self._follow(tell)
                except ProviderError as error:
                    self._say_lost(error)
                    self._believe_last(tell)
                delay = _FIRST_DELAY if self._followed else min(delay * 2, _LONGEST_DELAY)
                await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 - so that many do not come at once
        finally:
            patience.cancel()

    async def _follow(self, tell: Tell) -> None:
        """Follow one connection until it ends, which raises; without `watch` only look once."""
        async with Client(self.options, beside=self.beside) as client:
            await client.greet()
            if not self.options.watch:
                self._say_found()
                await self._list(client, tell)
                return
            # From before: what happens between two answers is told twice rather than not at all, and who got his stop
            # signal while nobody listened drains too.
            target = f"/events?filters={_FILTERS}{_since(client.date)}"
            async with aclosing(client.follow(target)) as events:
                self._roster.forget()
                try:
                    await anext(events)
                except Refused:
                    # Whoever may not hear events may see the containers at least; they are seen again with each attempt.
                    await self._list(client, tell)
                    raise
                self._followed = True
                self._say_found()
                await self._list(client, tell)
                await self._watch(client, events, tell)

    async def _watch(self, client: Client, events: AsyncGenerator[Any, None], tell: Tell) -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        reading = asyncio.create_task(_read_into(queue, events), name=f"events of {self.name}")
        due: float | None = None
        try:
            while True:
                moments = [moment for moment in (due, self._roster.expires) if moment is not None]
                taken = await _available(queue, min(moments, default=None))
                now = time.monotonic()
                for event in taken:
                    if isinstance(event, Exception):
                        raise event
                    wanted = self._when(self._roster.take(event, now=now), now)
                    due = wanted if due is None else due if wanted is None else min(due, wanted)
                self._roster.expire(now=now)
                if due is not None and due <= now:
                    due = None
                    await self._list(client, tell)
                else:
                    await self._tell(tell)
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    def _when(self, due: Due, now: float) -> float | None:
        if due is Due.NEVER:
            return None
        return now + self.throttle if due is Due.LATER else max(now, self._listed + self.throttle)

    async def _list(self, client: Client, tell: Tell) -> None:
        """List the containers, inspect those that may have changed, and tell."""
        self._listed = time.monotonic()
        summaries = await client.get("/containers/json?all=true")
        if not isinstance(summaries, list):
            raise ProviderError("its list of containers is none")
        for identity in self._roster.listed([one for one in summaries if isinstance(one, dict)]):
            try:
                inspect = await client.get(f"/containers/{quote(identity, safe='')}/json")
            except Refused as refused:
                if refused.status != _NOT_FOUND:
                    raise
                inspect = None  # it has gone in between
            try:
                self._roster.inspected(identity, inspect if isinstance(inspect, dict) else None)
            except ValueError as error:
                raise ProviderError(str(error)) from None
        if not self._host and any(one.network_mode == "host" for one in self._roster.containers):
            self._host = await host_address(self.options.endpoint)
        await self._tell(tell)
        await asyncio.to_thread(self._store().keep, self._roster.raw)

    async def _tell(self, tell: Tell) -> None:
        """Tell what is to be served, if that is not what was told last."""
        state = (self._roster.containers, self._roster.draining)
        if state == self._told:
            return
        dynamic, problems = await asyncio.to_thread(self._configuration, *state)
        self._told, self._silent = state, False
        tell(Read(dynamic=dynamic, problems=tuple(problems), seen=self._seen(state[0], problems)))

    def _seen(self, containers: tuple[Container, ...], problems: list[Problem]) -> tuple[Seen, ...]:
        return seen(containers, problems, provider=self.name)

    def _configuration(
        self, containers: tuple[Container, ...], draining: frozenset[str]
    ) -> tuple[Dynamic, list[Problem]]:
        if self._whole is None or self._whole[0] != containers:
            before = set() if self._whole is None else {one.name for one in self._whole[0]}
            self._whole = (containers, *self._meant_by(containers))
            now = {one.name for one in containers}
            changes = {"new": _some(now - before), "gone": _some(before - now)}
            told = {what: names for what, names in changes.items() if names}
            routers = _some(self._whole[1].routers)
            _log.info("containers found", provider=self.name, containers=len(containers), routers=routers, **told)
        _, whole, problems = self._whole
        if not draining:
            return whole, problems
        rest, _ = self._meant_by(tuple(one for one in containers if one.id not in draining))
        ending = _some({one.name for one in containers if one.id in draining})
        _log.info("containers end and get no more requests", provider=self.name, containers=ending)
        return without_servers(whole, rest), problems

    def _meant_by(self, containers: tuple[Container, ...]) -> tuple[Dynamic, list[Problem]]:
        host = self._host or LOCAL
        return configuration_of(containers, options=self.options, provider=self.name, host_address=host)

    def _believe_last(self, tell: Tell) -> None:
        """Tell what the engine had last, if it has not said anything yet."""
        if not self._silent:
            return
        self._silent = False
        kept = self._store().load()
        containers = None if kept is None else _restored(kept)
        if containers is None:
            tell(Silent())
            return
        _log.warning("the Docker engine is believed to have the containers it had last", provider=self.name)
        dynamic, problems = self._meant_by(containers)
        tell(Read(dynamic=dynamic, problems=tuple(problems), seen=self._seen(containers, problems)))

    def _store(self) -> Store:
        return Store(self.state, provider=self.name, endpoint=self.options.endpoint)

    def _say_lost(self, error: ProviderError) -> None:
        """Say it once, and again when it has another reason."""
        reason = str(error)
        if reason == self._complaint:
            _log.debug("the Docker engine cannot be reached", provider=self.name, reason=reason)
            return
        what = "the Docker engine cannot be reached"
        if self._followed and not self._complaint:
            what = "the connection to the Docker engine is lost: what is known keeps serving"
        self._complaint = reason
        more = {"remedy": remedy} if (remedy := remedy_of(error, self.options.endpoint)) else {}
        _log.error(what, provider=self.name, endpoint=self.options.endpoint, reason=reason, **more)

    def _say_found(self) -> None:
        if self._complaint:
            self._complaint = ""
            _log.info("the Docker engine is found again", provider=self.name, endpoint=self.options.endpoint)


def _some(names: Collection[str]) -> str:
    """Return names for a line of the log."""
    shown = ", ".join(sorted(names)[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _restored(kept: list[Mapping[str, Any]]) -> tuple[Container, ...] | None:
    roster = Roster()
    roster.listed([{"Id": one.get("Id"), "State": "running"} for one in kept])
    try:
        for one in kept:
            roster.inspected(str(one.get("Id")), one)
    except ValueError:
        return None
    return roster.containers


def _since(date: str) -> str:
    """Return the parameter that means from a little before this moment on, by the engine's clock."""
    try:
        return f"&since={int(parsedate_to_datetime(date).timestamp()) - _LOOK_BACK}"
    except ValueError:
        return ""


async def _read_into(queue: asyncio.Queue[Any], events: AsyncGenerator[Any, None]) -> None:
    try:
        async for event in events:
            if isinstance(event, dict):
                queue.put_nowait(event)
    except Exception as error:  # noqa: BLE001 - whoever takes the events raises it
        queue.put_nowait(error)


async def _available(queue: asyncio.Queue[Any], moment: float | None) -> list[Any]:
    """Return everything that is there, once something is; nothing when the moment has come (time.monotonic)."""
    taken: list[Any] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(None if moment is None else max(moment - time.monotonic(), 0.0)):
            taken.append(await queue.get())
    while not queue.empty():
        taken.append(queue.get_nowait())
    return taken
