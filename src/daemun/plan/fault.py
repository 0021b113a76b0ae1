"""What can go wrong, and what the engine then answers: Plan data, for each language says it differently.

A Plan gives one answer for each kind; one that leaves a kind out is refused by the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from daemun.plan import route
from daemun.plan.scalars import U16
from daemun.plan.template import Template


class FaultKind(StrEnum):
    """Every way an exchange can fail."""

    # The request cannot be read, or is refused by RFC 9112.
    BAD_REQUEST = "bad_request"
    # The target is longer than the limit.
    TARGET_TOO_LONG = "target_too_long"
    # The head is larger than the limits.
    HEAD_TOO_LARGE = "head_too_large"
    # The head did not come in time.
    HEAD_TIMEOUT = "head_timeout"
    # The body did not come in time.
    BODY_TIMEOUT = "body_timeout"
    BODY_TOO_LARGE = "body_too_large"
    # An Expect other than 100-continue.
    EXPECTATION_FAILED = "expectation_failed"
    # CONNECT, or a transfer coding that is not known.
    NOT_IMPLEMENTED = "not_implemented"
    # An HTTP version that is not spoken.
    VERSION_NOT_SUPPORTED = "version_not_supported"
    # Plain HTTP on a listener that speaks only TLS (nginx 497).
    PLAIN_ON_TLS = "plain_on_tls"
    # Host and SNI disagree.
    MISDIRECTED = "misdirected"
    NO_ROUTE = "no_route"
    # No such file.
    NOT_FOUND = "not_found"
    # A directory was asked for without its slash: the engine says where it is in Location.
    DIRECTORY_REDIRECT = "directory_redirect"
    # A method that files do not have.
    METHOD_NOT_ALLOWED = "method_not_allowed"
    # If-Match or If-Unmodified-Since does not hold.
    PRECONDITION_FAILED = "precondition_failed"
    # None of the ranges is in the file: the engine says how long it is in Content-Range.
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"
    # No endpoint lives.
    NO_ENDPOINT = "no_endpoint"
    # Refused, unreachable, not resolved, TLS failure.
    CONNECT_FAILED = "connect_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    # Reset or closed before a response head.
    UPSTREAM_CLOSED = "upstream_closed"
    # A response that cannot be read, or is refused by RFC 9112.
    UPSTREAM_INVALID = "upstream_invalid"
    # No response head in time.
    RESPONSE_TIMEOUT = "response_timeout"
    # The client left.
    CLIENT_GONE = "client_gone"
    # More than ten jumps.
    TOO_MANY_JUMPS = "too_many_jumps"
    # Our own fault.
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultAnswer:
    """What is answered, and what the log says."""

    # What the client gets.
    status: U16
    # What the log says, when it is another (499 for a client that left).
    log_status: U16
    headers: tuple[route.HeaderValue, ...]
    body: Template
    # The connection is closed after it.
    close: bool


# One answer for each kind; a Plan that leaves one out is refused.
FaultAnswers = Mapping[FaultKind, FaultAnswer]
