"""The one template language (DESIGN.md, law 3): header values, redirects, answers, hash keys, access logs.

A `Template` is a tuple of `Part`s; a `Variable` stands in it as it is. `Lookup` is a table that turns a key into
text (map, geo, split_clients), read by `LookupPart` and evaluated when first asked for, once an exchange.
The variables themselves stand in `daemun.plan.variable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from daemun.plan.codec import Newtype
from daemun.plan.matching import Pattern
from daemun.plan.scalars import U16, U32, Id
from daemun.plan.variable import Variable

__all__ = [
    "Argument",
    "Capture",
    "Cookie",
    "Entry",
    "Geo",
    "Header",
    "Literal",
    "Lookup",
    "LookupPart",
    "Map",
    "NamedCapture",
    "Part",
    "Proxies",
    "RegexEntry",
    "ResponseHeader",
    "Secret",
    "Share",
    "Split",
    "Template",
    "UpstreamHeader",
    "Variable",
]


@dataclass(frozen=True, slots=True)
class Literal(Newtype):
    """Text as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Header(Newtype):
    """A request field's lines, joined by `, `; name in lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class ResponseHeader(Newtype):
    """A field of the response as it goes to the client."""

    name: str


@dataclass(frozen=True, slots=True)
class UpstreamHeader(Newtype):
    """A field of the response as it came from upstream."""

    name: str


@dataclass(frozen=True, slots=True)
class Cookie(Newtype):
    """A cookie of the request, whatever the case of its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Argument(Newtype):
    """A query argument, whatever the case of its name; not decoded."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Group 0 is the whole match; a `set` slot has only that."""

    slot: U16
    group: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCapture:
    """The same by the group's name."""

    slot: U16
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupPart:
    """What the lookup `table` makes of `key`."""

    TAG: ClassVar[str] = "lookup"

    table: Id
    key: Template


@dataclass(frozen=True, slots=True)
class Secret(Newtype):
    """A secret's text; it is handed over apart from the Plan."""

    id: Id


Part = (
    Literal
    | Variable
    | Header
    | ResponseHeader
    | UpstreamHeader
    | Cookie
    | Argument
    | Capture
    | NamedCapture
    | LookupPart
    | Secret
)
Template = tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key and what it becomes."""

    key: str
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexEntry:
    """A pattern and what a key it matches becomes."""

    pattern: Pattern
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of all keys, in 1/100 of a percent."""

    basis_points: U32
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """nginx `map`, whatever the case of the key: exact, then wildcard names when `hostnames`, then regexes in order."""

    hostnames: bool
    exact: tuple[Entry, ...]
    regexes: tuple[RegexEntry, ...]
    default: Template
    volatile: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """Who is believed, as in realip."""

    # CIDR or address.
    trusted: tuple[str, ...]
    # The last address that is not trusted, instead of the last.
    recursive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Geo:
    """nginx `geo`: the narrowest network that holds the key, an address."""

    networks: tuple[Entry, ...]
    default: Template
    # Instead of the address of one of these, what it says in X-Forwarded-For.
    proxies: Proxies | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """nginx `split_clients`: the key's hash falls into shares."""

    shares: tuple[Share, ...]
    default: Template


Lookup = Map | Geo | Split
