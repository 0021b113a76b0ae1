"""What is said at the supervisor's border, in whatever language a configuration is written.

    source ─ Wanted | Rejected ─► supervisor ─ EngineBorder ─► source

Values only: nothing here reads, lowers or applies, and importing it costs next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from daemun.engine.bundle import Bundle
from daemun.engine.frames import Json
from daemun.engine_terms import EngineTerms
from daemun.errors import Problem


class LogTerms(Protocol):
    """How the control plane logs: `level` and `format` in the words of `daemun.logs.configure`."""

    @property
    def level(self) -> str:
        """The least level that is written."""
        ...

    @property
    def format(self) -> str:
        """How a line looks."""
        ...

    @property
    def file_path(self) -> str:
        """The file; empty for standard error."""
        ...

    @property
    def no_color(self) -> bool:
        """Whether lines stay without colour on a terminal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the engine is to do from now on.

    `grace` is how long it may take to stop, seconds. `complete` is False when a provider could not be read yet and
    its part is missing: better than nothing, worse than what an adopted engine does.
    """

    bundle: Bundle
    log: LogTerms
    grace: float
    complete: bool
    # How a new engine is started, where nothing on the command line says so.
    engine: EngineTerms = field(default_factory=EngineTerms)
    # The files that the engine opens for access logs.
    logs: tuple[str, ...] = ()

    @property
    def plan(self) -> bytes:
        """Return the Plan alone."""
        return self.bundle.plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A change that cannot be used; what was before stays."""

    problems: tuple[Problem, ...]


Tell = Callable[[Wanted | Rejected], None]


class Call(Protocol):
    """Makes a call on the engine's control socket."""

    def __call__(self, call: str, **fields: Json) -> Awaitable[Mapping[str, Json]]:
        """Raise CallRefused or ConnectionLost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineBorder:
    """What a source needs of the engine: its calls, and to know that it serves (an answer is fetched through it)."""

    call: Call
    serves: asyncio.Event
