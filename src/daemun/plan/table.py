"""Route tables: how a request finds its route (DESIGN.md, law 2).

`First` is Traefik's way (ordered rules), `Locations` nginx's (exact, prefixes, regexes, nested).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from daemun.plan.codec import Key, Newtype
from daemun.plan.matching import Match, Pattern
from daemun.plan.scalars import Id


@dataclass(frozen=True, slots=True)
class First(Newtype):
    """Ordered rules; the first that matches wins (Traefik's priorities)."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition and its route."""

    matches: Annotated[Match, Key("match")]
    route: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """One level of nginx's location search.

    exact, then the longest prefix; unless it says `stop`, the regexes in order; else the prefix.
    """

    exact: tuple[Exact, ...]
    prefixes: tuple[Prefix, ...]
    regexes: tuple[Regex, ...]
    # Reached by name only: `@name` without the `@`.
    named: tuple[Named, ...]
    # When nothing matches; a fault (no route) when absent.
    otherwise: Id | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """`= path`."""

    path: str
    route: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """A prefix, and the locations nested in it."""

    path: str
    # `^~`: no regex is tried when this is the longest prefix.
    stop: bool
    route: Id
    # A request for the prefix without its last slash is sent there with 301.
    redirect_without_slash: bool
    # Locations nested in this one, searched when it is the longest prefix.
    children: Locations | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """`~` or `~*`."""

    pattern: Pattern
    route: Id
    children: Locations | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """`@name`."""

    name: str
    route: Id


Table = First | Locations
