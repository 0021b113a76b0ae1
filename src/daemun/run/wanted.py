"""What is wanted, as a stream: the static configuration and its providers, read, and again when they change.

    static sources ─────┐                  ┌─ set ────► Lowerer ─► Wanted (a Plan, and what else the supervisor must know)
    file provider ──────┼─ FileSource ─────┴─ reject ─►         ─► Rejected (something does not parse: nothing changes)
    Docker engines … ───┘  (merged: traefik/merge.py)

Of the static sources (traefik/sources.py) only the file can change. Each provider tells the whole of what it defines,
and only the newest of it counts. One that says nothing yet keeps the others waiting for a moment only; what it said last
stays while it cannot be reached. What a configuration means, and the certificates it needs, is the Lowerer's business
(lowering.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from daemun.errors import ConfigError, Problem
from daemun.logs import configure
from daemun.providers.file import configurations
from daemun.providers.said import Read, Said, Seen, Unreadable
from daemun.providers.watch import changes
from daemun.run.lowering import Lowerer
from daemun.traefik.configuration import TraefikConfiguration
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.merge import merged
from daemun.traefik.names import FILE
from daemun.traefik.sources import StaticSources
from daemun.traefik.static import Static

if TYPE_CHECKING:
    from daemun.run.api_view import ApiView

_log = structlog.get_logger()
_AFTER_FAILURE = 1.0  # seconds; only a mistake of ours leads here
# At the start the first Plan waits so long, seconds, for all providers to have said something.
_PATIENCE = 0.5

Run = Callable[[Callable[[Said], None]], Coroutine[Any, Any, None]]


@dataclass(slots=True, kw_only=True)
class _Provider:
    """A provider that is followed: what it was made of, and what it said last."""

    options: object
    task: asyncio.Task[None] | None = None
    heard: bool = False
    dynamic: Dynamic | None = None
    problems: tuple[Problem, ...] = ()
    seen: tuple[Seen, ...] = ()


@dataclass(slots=True)
class _Parts:
    """The providers by name, and whether any has said something new."""

    providers: dict[str, _Provider] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    all_heard: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, name: str, said: Said) -> tuple[Problem, ...]:
        """Take what a provider says; return why it is rejected, if it is."""
        provider = self.providers[name]
        provider.heard = True
        rejected: tuple[Problem, ...] = ()
        if isinstance(said, Read):
            provider.dynamic, provider.problems, provider.seen = said.dynamic, said.problems, said.seen
        elif isinstance(said, Unreadable):
            rejected = said.problems
        self.look()
        if not rejected or provider.dynamic is None:
            self.news.set()
        return rejected

    def look(self) -> None:
        """See whether all have been heard."""
        if all(one.heard for one in self.providers.values()):
            self.all_heard.set()


class FileSource:
    """The static configuration and what it names, until cancelled.

    In the directory `state` providers may keep something; `show` gets what the API shows, None where there is none.
    """

    def __init__(
        self,
        sources: StaticSources,
        *,
        lowerer: Lowerer,
        state: Path | None = None,
        show: Callable[[ApiView | None], None] | None = None,
    ) -> None:
        self._sources = sources
        self._show = show
        self._lowerer = lowerer
        self._state = state
        self._static: Static | None = None
        self._static_problems: tuple[Problem, ...] = ()
        self._parts = _Parts()
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Read, tell, watch. Raises ConfigError when the static configuration cannot be used the first time."""
        tasks = [
            asyncio.create_task(self._lowerer.run(), name="certificates"),
            asyncio.create_task(_kept_going(self._lower), name="lowering"),
        ]
        try:
            await self._follow_static(self._sources.file)
        finally:
            for provider in self._parts.providers.values():
                await _ended(provider.task)
            for task in tasks:
                await _ended(task)

    async def again(self) -> None:
        """Read everything again as if it had changed."""
        await self._read_static(again=True)

    async def _follow_static(self, file: Path | None) -> None:
        if file is None:
            await self._read_static()
            await asyncio.get_running_loop().create_future()  # nothing changes but by `again`
            return
        async with aclosing(changes(lambda: [file])) as told:
            async for _ in told:
                await self._read_static()

    async def _read_static(self, *, again: bool = False) -> None:
        async with self._reading:
            try:
                static, problems = await asyncio.to_thread(self._sources.load)
            except ConfigError as error:
                if self._static is None:
                    raise
                self._lowerer.reject(error.problems)
                return
            before, self._static = self._static, static
            self._static_problems = tuple(problems)
            if before is None:
                log = static.log
                # What providers say before the first Plan is logged as is wished; a file that cannot be opened is said later.
                with contextlib.suppress(OSError):
                    configure(level=log.level, form=log.format, path=log.file_path, colour=not log.no_color)
            begun = await self._follow(static, again=again)
            if before != static and not begun:
                self._parts.news.set()

    async def _follow(self, static: Static, *, again: bool) -> bool:
        """Begin with new providers, end those that are gone; one whose options changed begins again with what it had.

        Tell whether any begins, and so will say something.
        """
        begun = False
        providers = self._parts.providers
        named = _providers(static)
        for name in providers.keys() - named.keys():
            await _ended(providers.pop(name).task)
        for name, options in named.items():
            known = providers.setdefault(name, _Provider(options=options))
            if known.task is not None and known.options == options and not again:
                continue
            await _ended(known.task)
            known.options = options
            run = self._run_of(name, static)
            known.task = asyncio.create_task(self._keep_following(name, run), name=f"provider {name}")
            begun = True
        self._parts.look()
        return begun

    def _run_of(self, name: str, static: Static) -> Run:
        if name == FILE:
            return lambda tell: _follow_files(static, self._sources.file, tell)
        # Imported with the first Docker engine: nobody else pays for it.
        from daemun.providers.docker.provider import DockerProvider

        docker = static.providers.docker
        if docker is None:
            raise AssertionError(name)
        throttle = static.providers.providers_throttle_duration
        options = docker.providers()[name]
        return DockerProvider(
            name=name, options=options, throttle=throttle, beside=self._sources.file, state=self._state
        ).run

    async def _keep_following(self, name: str, run: Run) -> None:
        async def follow() -> None:
            await run(lambda said: self._heard(name, said))
            await asyncio.Event().wait()  # it has said all it ever will

        await _kept_going(follow)

    def _heard(self, name: str, said: Said) -> None:
        if rejected := self._parts.told(name, said):
            self._lowerer.reject(rejected)

    async def _lower(self) -> None:
        """Lower what is wanted, each time there are news."""
        parts = self._parts
        await parts.news.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await parts.all_heard.wait()
        while True:
            await parts.news.wait()
            parts.news.clear()
            if self._static is None:
                continue
            known = {name: one.dynamic for name, one in parts.providers.items() if one.dynamic is not None}
            dynamic, problems = merged(known, providers=list(parts.providers))
            said = [*self._static_problems, *(p for one in parts.providers.values() for p in one.problems), *problems]
            view = self._view(self._static, dynamic, said)
            configuration = TraefikConfiguration(
                static=self._static,
                dynamic=dynamic,
                complete=len(known) == len(parts.providers),
                lowered=None if view is None else view.lowered,
            )
            await self._lowerer.set(configuration, said=tuple(said))
            if self._show is not None:
                self._show(view)

    def _view(self, static: Static, dynamic: Dynamic, said: Sequence[Problem]) -> ApiView | None:
        if static.api is None or self._show is None:
            return None
        # Imported with the first API: nobody else pays for it.
        from daemun.run.api_view import ApiView

        seen = [one for provider in self._parts.providers.values() for one in provider.seen]
        return ApiView(static=static, dynamic=dynamic, said=said, seen=seen)


def _providers(static: Static) -> dict[str, object]:
    """Return what each provider is made of, by its name."""
    found: dict[str, object] = {}
    if static.providers.file is not None:
        found[FILE] = static.providers.file
    if static.providers.docker is not None:
        throttle = static.providers.providers_throttle_duration
        found |= {name: (options, throttle) for name, options in static.providers.docker.providers().items()}
    return found


async def _follow_files(static: Static, beside: Path | None, tell: Callable[[Said], None]) -> None:
    async with aclosing(configurations(static, beside=beside)) as told:
        async for said in told:
            tell(said)


async def _kept_going(follow: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            return await follow()
        except Exception:  # noqa: BLE001 - a stream that ended for ever would be worse
            _log.exception("following a provider failed and begins again", after=_AFTER_FAILURE)
            await asyncio.sleep(_AFTER_FAILURE)


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
