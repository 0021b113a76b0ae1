"""What a rule asks of a request: the condition tree of Traefik's rules, and patterns with their dialect.

Names of fields are lower-case. The alias `Match` is the union of all conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemun.plan.codec import Newtype
from daemun.plan.scalars import U16


class Dialect(StrEnum):
    r"""RE2: linear time, ASCII classes, `\Q..\E` (Go, Traefik). PCRE: backtracking with a step limit (nginx)."""

    RE2 = "re2"
    PCRE = "pcre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A regular expression with its language; a match writes its groups to `slot` when there is one."""

    regex: str
    dialect: Dialect
    ignore_case: bool
    slot: U16 | None


@dataclass(frozen=True, slots=True)
class Always:
    """Every request."""


@dataclass(frozen=True, slots=True)
class All(Newtype):
    """All of them hold."""

    of: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Any(Newtype):
    """One of them holds."""

    of: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Not(Newtype):
    """It does not hold."""

    of: Match


@dataclass(frozen=True, slots=True)
class Host(Newtype):
    """Host without port and trailing dot, lower-case, equals this."""

    name: str


@dataclass(frozen=True, slots=True)
class HostOneLabel(Newtype):
    """Exactly one label stands before this suffix (`.example.org`)."""

    suffix: str


@dataclass(frozen=True, slots=True)
class HostRegex(Newtype):
    """The lower-cased host is searched."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Path(Newtype):
    """The matching form of the path equals this."""

    path: str


@dataclass(frozen=True, slots=True)
class PathPrefix(Newtype):
    """The matching form of the path begins with this, at any character."""

    prefix: str


@dataclass(frozen=True, slots=True)
class PathRegex(Newtype):
    """The matching form of the path is searched."""

    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Some line of this field has exactly this value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRegex:
    """Some line of this field is matched."""

    name: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Method(Newtype):
    """The method, upper-case."""

    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Some value of this key, decoded, is `value`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRegex:
    """Some value of this key is matched."""

    key: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class ClientIp(Newtype):
    """The peer's address lies in one of these (CIDR or address); never X-Forwarded-For."""

    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tls(Newtype):
    """The connection is TLS (true) or plain (false)."""

    terminated: bool


Match = (
    Always
    | All
    | Any
    | Not
    | Host
    | HostOneLabel
    | HostRegex
    | Path
    | PathPrefix
    | PathRegex
    | Header
    | HeaderRegex
    | Method
    | Query
    | QueryRegex
    | ClientIp
    | Tls
)
