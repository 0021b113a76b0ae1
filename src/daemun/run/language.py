"""A configuration, whatever language it is written in: what running it takes.

    files ─ a language's reader ─► Configuration ─ needs ─► certificates ─ at hand ─► lower ─► Plan

Each language has one such class (`daemun.traefik.configuration`, `daemun.nginx.configuration`); nothing else here asks
which it is, but the source that follows its files (wanted.py, nginx_files.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from daemun.engine_terms import EngineTerms
from daemun.errors import Problem
from daemun.needs import AtHand, Needs, Resolver
from daemun.plan.plan import Plan
from daemun.plan.scalars import Id
from daemun.run.borders import LogTerms


class Configuration(Protocol):
    """Read and typed; immutable."""

    @property
    def log(self) -> LogTerms:
        """How the control plane logs."""
        ...

    @property
    def complete(self) -> bool:
        """Whether every part could be read."""
        ...

    @property
    def all_or_nothing(self) -> bool:
        """Whether one error refuses the whole (nginx), or only its own part (Traefik)."""
        ...

    @property
    def endpoints_move(self) -> bool:
        """Whether endpoints come and go by themselves (containers): then a Plan says what of it is not endpoints."""
        ...

    @property
    def engine(self) -> EngineTerms:
        """On what terms the engine's process runs."""
        ...

    @property
    def secrets(self) -> Mapping[Id, str]:
        """Secrets that the configuration itself holds."""
        ...

    def needs(self) -> Needs:
        """Return the certificates and roots it needs."""
        ...

    def resolvers(self) -> Sequence[Resolver]:
        """Return who obtains certificates."""
        ...

    def lower(self, at_hand: AtHand, *, pages: str) -> tuple[Plan, Sequence[Problem]]:
        """Return the Plan with what is at hand, and what of it is not served; `pages` is our own application's socket."""
        ...
