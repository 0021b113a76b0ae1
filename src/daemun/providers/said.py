"""What a provider says, each time it has something to say: the words of its stream."""

from __future__ import annotations

from dataclasses import dataclass

from daemun.errors import Problem
from daemun.traefik.dynamic import Dynamic


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A container it knows of; `hidden` says why it is not routed to, `remedy` what to do."""

    name: str
    provider: str
    running: bool
    hidden: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What it defines now, all of it, what was found wrong with parts of it, and the containers it has seen."""

    dynamic: Dynamic
    problems: tuple[Problem, ...]
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A change cannot be used: a file is missing or does not parse. What it said before stays."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """It cannot be reached and has not said anything yet; it goes on trying. The others need not wait."""


Said = Read | Unreadable | Silent
