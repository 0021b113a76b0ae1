"""What Traefik says when a request fails: status, fields and text for each fault.

Facts (Go's net/http and Traefik v3.7): no route is `404 page not found` and a line break, no live server
`no available server`; both through http.Error, so plain text with nosniff. Upstream faults are the status
text alone. What cannot be read as HTTP gets Go's terse answer and a closed connection. Decision: an answer
that breaks RFC 9112 is 502, where Go's transport would let Traefik say 500.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from daemun.plan.fault import FaultAnswer, FaultKind
from daemun.plan.route import HeaderValue
from daemun.plan.template import Literal

_PLAIN = HeaderValue(name="Content-Type", value=(Literal("text/plain; charset=utf-8"),))
_NOSNIFF = HeaderValue(name="X-Content-Type-Options", value=(Literal("nosniff"),))
# RFC 9110 section 15.5.6: what files have.
_ALLOW = HeaderValue(name="Allow", value=(Literal("GET, HEAD"),))
_CLIENT_CLOSED = 499  # nginx's number, which Traefik uses too

# Go's server answers these itself, before any handler, and closes.
_UNREADABLE = {
    FaultKind.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    FaultKind.TARGET_TOO_LONG: HTTPStatus.REQUEST_URI_TOO_LONG,
    FaultKind.HEAD_TOO_LARGE: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    FaultKind.HEAD_TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    FaultKind.BODY_TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    FaultKind.EXPECTATION_FAILED: HTTPStatus.EXPECTATION_FAILED,
    FaultKind.NOT_IMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    FaultKind.VERSION_NOT_SUPPORTED: HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
}
# Written by handlers through http.Error: text, line break, nosniff.
_REFUSED = {
    FaultKind.BODY_TOO_LARGE: (413, "Request Entity Too Large"),
    FaultKind.MISDIRECTED: (421, "Misdirected Request"),
    FaultKind.NO_ROUTE: (404, "404 page not found"),
    FaultKind.NOT_FOUND: (404, "404 page not found"),
    FaultKind.METHOD_NOT_ALLOWED: (405, "Method Not Allowed"),
    FaultKind.PRECONDITION_FAILED: (412, "Precondition Failed"),
    FaultKind.RANGE_NOT_SATISFIABLE: (416, "Requested Range Not Satisfiable"),
    FaultKind.FORBIDDEN: (403, "Forbidden"),
    FaultKind.UNAUTHORIZED: (401, "401 Unauthorized"),
    FaultKind.NO_ENDPOINT: (503, "no available server"),
    FaultKind.PLAIN_ON_TLS: (400, "Client sent an HTTP request to an HTTPS server."),
}
_CLOSING = frozenset({FaultKind.BODY_TOO_LARGE, FaultKind.PLAIN_ON_TLS})
# Written by the proxy's error handler: the status text alone.
_FAILED = {
    FaultKind.DIRECTORY_REDIRECT: (301, "Moved Permanently"),
    FaultKind.CONNECT_FAILED: (502, "Bad Gateway"),
    FaultKind.CONNECT_TIMEOUT: (504, "Gateway Timeout"),
    FaultKind.UPSTREAM_CLOSED: (502, "Bad Gateway"),
    FaultKind.UPSTREAM_INVALID: (502, "Bad Gateway"),
    FaultKind.RESPONSE_TIMEOUT: (504, "Gateway Timeout"),
    FaultKind.CLIENT_GONE: (_CLIENT_CLOSED, "Client Closed Request"),
    FaultKind.TOO_MANY_JUMPS: (500, "Internal Server Error"),
    FaultKind.INTERNAL: (500, "Internal Server Error"),
}


def traefik_faults() -> dict[FaultKind, FaultAnswer]:
    """Return the answer to every fault."""
    answers = {
        kind: _answer(code, f"{code} {HTTPStatus(code).phrase}", close=True) for kind, code in _UNREADABLE.items()
    }
    for kind, (status, text) in _REFUSED.items():
        answers[kind] = _answer(status, f"{text}\n", nosniff=True, close=kind in _CLOSING)
    for kind, (status, text) in _FAILED.items():
        answers[kind] = _answer(status, text, close=kind is FaultKind.CLIENT_GONE)
    refused = answers[FaultKind.METHOD_NOT_ALLOWED]
    answers[FaultKind.METHOD_NOT_ALLOWED] = replace(refused, headers=(*refused.headers, _ALLOW))
    return {kind: answers[kind] for kind in FaultKind}


def _answer(status: int, text: str, *, nosniff: bool = False, close: bool = False) -> FaultAnswer:
    code = int(status)
    return FaultAnswer(
        status=code,
        log_status=code,
        headers=(_PLAIN, _NOSNIFF) if nosniff else (_PLAIN,),
        body=(Literal(text),),
        close=close,
    )
