"""What is wanted, as a stream: the static configuration and its providers, read, and again when they change.

    static sources ──┐              ┌─ set ────► Lowerer ─► Wanted (a Plan, and what else the supervisor must know)
    file provider ───┴─ FileSource ─┴─ reject ─►          ─► Rejected (something does not parse: nothing changes)

Of the static sources only the file can change; without one they are read once.

What a configuration means, and the certificates it needs, is the Lowerer's business (lowering.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from pathlib import Path

import structlog

from daemun.errors import ConfigError, Problem
from daemun.providers.file import Read, configurations
from daemun.providers.watch import changes
from daemun.run.lowering import Lowerer
from daemun.traefik.configuration import TraefikConfiguration
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.sources import StaticSources
from daemun.traefik.static import Static

_log = structlog.get_logger()
_AFTER_FAILURE = 1.0  # seconds; only a mistake of ours leads here


class FileSource:
    """The static configuration and what it names, until cancelled."""

    def __init__(self, sources: StaticSources, *, lowerer: Lowerer) -> None:
        self._sources = sources
        self._lowerer = lowerer
        self._static: Static | None = None
        self._static_problems: tuple[Problem, ...] = ()
        self._dynamic: Dynamic | None = None
        self._dynamic_problems: tuple[Problem, ...] = ()
        self._provider: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Read, tell, watch. Raises ConfigError when the static configuration cannot be used the first time."""
        certificates = asyncio.create_task(self._lowerer.run(), name="lowering")
        try:
            await self._follow_static(self._sources.file)
        finally:
            await self._end_provider()
            certificates.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await certificates

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
            await self._read_static_alone(again=again)

    async def _read_static_alone(self, *, again: bool) -> None:
        try:
            static, problems = await asyncio.to_thread(self._sources.load)
        except ConfigError as error:
            if self._static is None:
                raise
            self._lowerer.reject(error.problems)
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
        async with aclosing(configurations(static, beside=self._sources.file)) as told:
            async for said in told:
                if isinstance(said, Read):
                    self._dynamic, self._dynamic_problems = said.dynamic, said.problems
                    await self._lower()
                else:
                    self._lowerer.reject(said.problems)
                    if self._dynamic is None:
                        await self._lower()

    async def _lower(self) -> None:
        if self._static is not None:
            said = (*self._static_problems, *self._dynamic_problems)
            await self._lowerer.set(TraefikConfiguration(static=self._static, dynamic=self._dynamic), said=said)

    async def _end_provider(self) -> None:
        if self._provider is not None:
            self._provider.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._provider
            self._provider = None
