"""Filters: what happens to an exchange between its route and its action, each once and by id.

A `Filter` stands in the Plan under its id; routes and hosts list ids. Order matters and is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from daemun.plan import route
from daemun.plan.codec import Newtype
from daemun.plan.fault import FaultKind
from daemun.plan.route import HeaderValue, Jump
from daemun.plan.scalars import U16, Id
from daemun.plan.script import Condition, Step
from daemun.plan.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPrefix:
    """Puts a prefix before the path."""

    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StripPrefix:
    """Cuts the first prefix that fits; X-Forwarded-Prefix says which."""

    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacePath:
    """Replaces the path; X-Replaced-Path says what it was."""

    path: str


@dataclass(frozen=True, slots=True)
class RequestHeaders(Newtype):
    """Changes request fields."""

    ops: tuple[HeaderOp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Answers with a redirect when the condition holds."""

    when: Condition
    redirect: route.Redirect


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answers when the condition holds."""

    when: Condition
    respond: route.Respond


@dataclass(frozen=True, slots=True)
class Script(Newtype):
    """nginx's rewrite phase."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A copy of the request, its method too, goes there; its response is dropped."""

    to: Jump
    body: bool


@dataclass(frozen=True, slots=True)
class ErrorPages(Newtype):
    """Statuses that are answered by another route: under a URI with GET (HEAD stays), by name as they came."""

    pages: tuple[ErrorPage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealIp:
    """The client's address is taken from a field when the peer is trusted (nginx realip)."""

    # CIDR or address; `unix:` for clients on a Unix socket.
    trusted: tuple[str, ...]
    header: str
    recursive: bool


@dataclass(frozen=True, slots=True)
class Set(Newtype):
    """Replaces every line of it; an empty value removes it."""

    field: HeaderValue


@dataclass(frozen=True, slots=True)
class Add(Newtype):
    """Adds a line."""

    field: HeaderValue


@dataclass(frozen=True, slots=True)
class Remove(Newtype):
    """Removes every line of it."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expires:
    """Sets Expires and Cache-Control (nginx `expires`); of responses only."""

    # A whole number of seconds, `past` (never to be kept), `max` (ten years), or nothing: both stay as they are.
    after: Template
    from_: ExpiresFrom


class ExpiresFrom(StrEnum):
    """What the seconds are counted from."""

    # From now on.
    ACCESS = "access"
    # From Last-Modified on, where there is one.
    MODIFIED = "modified"
    # From midnight on, local time: the next time it is so late.
    MIDNIGHT = "midnight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHeaders:
    """Changes response fields."""

    # Only on these statuses; on every one when empty.
    statuses: tuple[U16, ...]
    ops: tuple[HeaderOp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Admission by gates, all of them or any."""

    satisfy: Satisfy
    gates: tuple[Gate, ...]


class Satisfy(StrEnum):
    """How many gates must admit."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Address(Newtype):
    """Ordered; the first that holds the client's address decides; allowed when none does."""

    rules: tuple[AddressRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """Users stand in a secret (htpasswd lines)."""

    realm: Template
    users: Id
    # Everyone is admitted where this does not hold; always asked when absent.
    when: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subrequest:
    """A sub-request, always a GET: 2xx admits, 401 and 403 refuse, else 500. Its response fields may be kept in slots."""

    to: Jump
    set: tuple[SlotValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRule:
    """One allow or deny line."""

    allow: bool
    # CIDR, address, `all`, or `unix:` for clients on a Unix socket.
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotValue:
    """A slot and what is kept in it."""

    slot: U16
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """Statuses, and the page that answers them."""

    # Of the engine's own answers; of the upstream's too where the route intercepts errors.
    statuses: tuple[U16, ...]
    # Faults that are meant whatever their status is (nginx's 494 to 497).
    faults: tuple[FaultKind, ...]
    # Holds also for what an error page answers; else at most one page answers an exchange.
    recursive: bool
    answer: PageAnswer
    # The status the client sees: the page's own when absent. A redirect has its own.
    status: StatusOverride | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRedirect:
    """This answer, with this location."""

    TAG: ClassVar[str] = "redirect"

    location: Template
    respond: route.Respond


@dataclass(frozen=True, slots=True)
class Original:
    """The status that led here."""


@dataclass(frozen=True, slots=True)
class Fixed(Newtype):
    """This one."""

    status: U16


@dataclass(frozen=True, slots=True)
class Answered:
    """What the page answers (`error_page 404 = /page`)."""


Filter = (
    AddPrefix
    | StripPrefix
    | ReplacePath
    | RequestHeaders
    | ResponseHeaders
    | Redirect
    | Respond
    | Script
    | Access
    | Mirror
    | ErrorPages
    | RealIp
)
# One change of a field, done in order.
HeaderOp = Set | Add | Remove | Expires
Gate = Address | Basic | Subrequest
PageAnswer = Jump | PageRedirect
StatusOverride = Original | Fixed | Answered
