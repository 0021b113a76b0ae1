"""What is wanted, as a stream: the static file and its providers, read, lowered to a Plan, and again when they change.

    static file ──┐                       ┌─► Wanted (a Plan, and what else the supervisor must know)
    file provider ┴─ FileSource ─ lower ──┴─► Rejected (something does not parse: nothing changes)

Problems are logged here, once each time they change. Nothing here knows the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import structlog

from daemun.errors import ConfigError, Problem
from daemun.logs import log_problem
from daemun.plan.plan import to_json
from daemun.providers.file import Read, configurations
from daemun.providers.watch import changes
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.logs import Log
from daemun.traefik.lower import lower
from daemun.traefik.read import load_static
from daemun.traefik.static import Static

_log = structlog.get_logger()
_AFTER_FAILURE = 1.0  # seconds; only a mistake of ours leads here


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the engine is to do from now on.

    `grace` is how long it may take to stop, seconds. `complete` is False when a provider could not be read yet and
    its part is missing: better than nothing, worse than what an adopted engine does.
    """

    plan: bytes
    log: Log
    grace: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A change that cannot be used; what was before stays."""

    problems: tuple[Problem, ...]


Tell = Callable[[Wanted | Rejected], None]


class FileSource:
    """The static file and what it names, until cancelled."""

    def __init__(self, config: Path, *, tell: Tell) -> None:
        self._config = config
        self._tell = tell
        self._static: Static | None = None
        self._static_problems: tuple[Problem, ...] = ()
        self._dynamic: Dynamic | None = None
        self._dynamic_problems: tuple[Problem, ...] = ()
        self._logged: tuple[Problem, ...] = ()
        self._provider: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Read, tell, watch. Raises ConfigError when the static file cannot be used the first time."""
        try:
            async with aclosing(changes(lambda: [self._config])) as told:
                async for _ in told:
                    await self._read_static()
        finally:
            await self._end_provider()

    async def again(self) -> None:
        """Read everything again as if it had changed."""
        await self._read_static(again=True)

    async def _read_static(self, *, again: bool = False) -> None:
        async with self._reading:
            await self._read_static_alone(again=again)

    async def _read_static_alone(self, *, again: bool) -> None:
        try:
            static, problems = await asyncio.to_thread(load_static, self._config)
        except ConfigError as error:
            if self._static is None:
                raise
            self._reject(error.problems)
            return
        before, self._static = self._static, static
        self._static_problems = tuple(problems)
        if again or before is None or before.providers != static.providers:
            await self._end_provider()
            self._provider = asyncio.create_task(self._keep_following(static), name="file provider")
        elif before != static:
            await self._lower()

    async def _keep_following(self, static: Static) -> None:
        while True:
            try:
                return await self._follow(static)
            except Exception:  # noqa: BLE001 - a stream that ended for ever would be worse
                _log.exception("the file provider failed and begins again", after=_AFTER_FAILURE)
                await asyncio.sleep(_AFTER_FAILURE)

    async def _follow(self, static: Static) -> None:
        if static.providers.file is None:
            self._dynamic, self._dynamic_problems = Dynamic(), ()
            await self._lower()
            return
        async with aclosing(configurations(static, beside=self._config)) as told:
            async for said in told:
                if isinstance(said, Read):
                    self._dynamic, self._dynamic_problems = said.dynamic, said.problems
                    await self._lower()
                else:
                    self._reject(said.problems)
                    if self._dynamic is None:
                        await self._lower()

    async def _lower(self) -> None:
        async with self._lock:
            static, dynamic = self._static, self._dynamic
            if static is None:
                return
            said = (*self._static_problems, *self._dynamic_problems)
            wanted, problems = await asyncio.to_thread(lower_all, static, dynamic)
            self._log((*said, *problems))
            self._tell(wanted)

    def _reject(self, problems: Sequence[Problem]) -> None:
        self._log(tuple(problems))
        self._tell(Rejected(problems=tuple(problems)))

    def _log(self, problems: tuple[Problem, ...]) -> None:
        if problems != self._logged:
            for problem in problems:
                log_problem(problem)
        self._logged = problems

    async def _end_provider(self) -> None:
        if self._provider is not None:
            self._provider.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._provider
            self._provider = None


def lower_all(static: Static, dynamic: Dynamic | None) -> tuple[Wanted, list[Problem]]:
    """Lower a configuration; None stands for a dynamic part that could not be read yet."""
    plan, problems = lower(static, Dynamic() if dynamic is None else dynamic)
    closings = [listener.closing for listener in plan.listeners.values()]
    grace = max((closing.accept_grace_ms + closing.grace_ms for closing in closings), default=0) / 1000
    return Wanted(plan=to_json(plan), log=static.log, grace=grace, complete=dynamic is not None), problems
