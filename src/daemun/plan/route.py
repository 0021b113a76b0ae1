"""A route: filters in order, then an action.

Actions are proxying, an answer, a redirect, files, a jump (a new search) or an end. What goes upstream as the
request target is a type of its own (`Target`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from daemun.plan import fault
from daemun.plan.codec import Newtype, Tag
from daemun.plan.files import Files
from daemun.plan.matching import Pattern
from daemun.plan.origin import Origin
from daemun.plan.scalars import U16, U64, Id
from daemun.plan.service import Retry
from daemun.plan.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Filters, an action, and what is answered when it fails."""

    origin: Origin
    # Reached by jumps only; a client that asks for it gets the no-route fault.
    internal: bool
    # In order on the request, in reverse on the response.
    filters: tuple[Id, ...]
    action: Action
    faults: Id
    logs: tuple[Id, ...]
    # Body limit of this route, bytes (413); the HTTP policy's when absent, 0 for no limit.
    body_bytes: U64 | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """The engine answers for itself: 200 `OK`, while terminating `terminating_status`."""

    terminating_status: U16


@dataclass(frozen=True, slots=True)
class Fail(Newtype):
    """The fault is answered."""

    kind: fault.FaultKind


@dataclass(frozen=True, slots=True)
class Close:
    """The connection is closed without a word (nginx 444)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The request goes to a service."""

    service: Id
    target: Target
    # The Host that goes upstream; the client's own when absent.
    host: Template | None
    # The client's fields go upstream (nginx `proxy_pass_request_headers`).
    pass_headers: bool
    # Its body goes upstream (nginx `proxy_pass_request_body`).
    pass_body: bool
    # Trailers go on, both ways.
    trailers: bool
    # 1xx responses go on; 100 and 101 are the engine's own matter.
    informational: bool
    request_body: Buffering
    response_body: Buffering
    upgrade: bool
    # Fields of the upstream's response that are not passed on; lower-case.
    hide: tuple[str, ...]
    # X-Accel-Redirect and its family are honoured.
    accel: bool
    # Statuses of 300 and above are answered by this route's error pages.
    intercept_errors: bool
    # Location and Refresh of the response: a prefix and what replaces it (nginx `proxy_redirect`).
    rewrite_location: tuple[LocationRewrite, ...]
    # Instead of the service's: timeouts and retries belong to the route (nginx), counts to the service.
    transport: Id | None
    retry: Retry | None
    # The method that goes upstream, when it is not the client's; the client's too where it is no token.
    method: Template | None
    # Milliseconds between flushes of a body of unknown kind; 0 flushes at once.
    flush_ms: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationRewrite:
    """A prefix of Location and what replaces it."""

    # A prefix of the location; not read when there is a pattern.
    from_: Template
    # Searched in the location instead; `to` then replaces the whole of it.
    pattern: Pattern | None
    # Before `to` in Location, which is absolute; a Refresh does without.
    base: Template
    to: Template


@dataclass(frozen=True, slots=True)
class Raw:
    """As received (nginx `proxy_pass` without URI), unless the path was rewritten."""


@dataclass(frozen=True, slots=True)
class Current:
    """The current path and query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacePrefix:
    """The matched prefix of the current path is replaced, the rest encoded again (nginx with URI).

    Once a rewrite has ended in `break` it is `Current` instead.
    """

    prefix: str
    with_: str


@dataclass(frozen=True, slots=True)
class TargetTemplate(Newtype):
    """The whole target."""

    TAG: ClassVar[str] = "template"

    target: Template


@dataclass(frozen=True, slots=True)
class Stream:
    """Goes on as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Goes on as it comes, but is read ahead of who takes it slowly (nginx's response buffering).

    So many bytes in memory, then so many in a file, then it waits.
    """

    memory: U64
    file: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """Whole before it goes on; `memory` bytes in memory, the rest in a file."""

    memory: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """An answer of our own."""

    status: U16
    headers: tuple[HeaderValue, ...]
    body: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderValue:
    """A field and its value."""

    name: str
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A redirect; the status depends on the method."""

    # For GET.
    status_get: U16
    # For every other method, HEAD among them.
    status_other: U16
    location: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFiles:
    """The first candidate that exists is served; else `otherwise`. The path becomes the candidate's."""

    # Where candidates are looked for, and how one is served.
    files: Files
    # Paths; one whose last literal ends in `/` asks for a directory.
    candidates: tuple[Template, ...]
    # A candidate that was found goes through the action of this route (nginx: `try_files` beside `proxy_pass`);
    # `files` serves it when absent.
    found: Id | None
    otherwise: Otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Uri:
    """With another target (path, and query after `?`)."""

    table: Id
    uri: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """To a named route of a table."""

    table: Id
    name: str


# Search again, at most ten times an exchange.
Jump = Annotated[Uri | Name, Tag("jump")]
Action = Proxy | Respond | Redirect | Files | TryFiles | Jump | Ping | Fail | Close
# What goes upstream as the request target.
Target = Raw | Current | ReplacePrefix | TargetTemplate
Buffering = Stream | Ahead | Buffer
# A fault is answered as this route answers it; Respond is any other status.
Otherwise = Jump | Fail | Respond
