"""What nginx answers by itself: its pages, and the answer to every fault.

Facts (nginx's ngx_http_special_response.c): a page names status and server; 494 and 497 are answered as 400 with a
sentence of their own; after 400, 408, 413, 414, 497, 500 and 501 no connection is kept; 499 is what the log says of a
client that left. Decision: pages say `nginx` without a version, whatever `server_tokens` says.
"""

from __future__ import annotations

from functools import cache

from daemun.plan.fault import FaultAnswer, FaultAnswers, FaultKind
from daemun.plan.route import HeaderValue, Respond
from daemun.plan.template import Literal, Template

HTML = HeaderValue(name="Content-Type", value=(Literal("text/html"),))
# Statuses that nginx has a page for, in its words.
TITLES = {
    301: "301 Moved Permanently",
    302: "302 Found",
    303: "303 See Other",
    307: "307 Temporary Redirect",
    308: "308 Permanent Redirect",
    400: "400 Bad Request",
    401: "401 Authorization Required",
    402: "402 Payment Required",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Not Allowed",
    406: "406 Not Acceptable",
    408: "408 Request Time-out",
    409: "409 Conflict",
    410: "410 Gone",
    411: "411 Length Required",
    412: "412 Precondition Failed",
    413: "413 Request Entity Too Large",
    414: "414 Request-URI Too Large",
    415: "415 Unsupported Media Type",
    416: "416 Requested Range Not Satisfiable",
    417: "417 Expectation Failed",
    421: "421 Misdirected Request",
    429: "429 Too Many Requests",
    499: "499 Client Closed Request",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
    505: "505 HTTP Version Not Supported",
    507: "507 Insufficient Storage",
}
_STATUS = {
    FaultKind.BAD_REQUEST: 400,
    FaultKind.TARGET_TOO_LONG: 414,
    FaultKind.HEAD_TOO_LARGE: 400,
    FaultKind.HEAD_TIMEOUT: 408,
    FaultKind.BODY_TIMEOUT: 408,
    FaultKind.BODY_TOO_LARGE: 413,
    FaultKind.EXPECTATION_FAILED: 417,
    FaultKind.NOT_IMPLEMENTED: 501,
    FaultKind.VERSION_NOT_SUPPORTED: 505,
    FaultKind.PLAIN_ON_TLS: 400,
    FaultKind.MISDIRECTED: 421,
    FaultKind.NO_ROUTE: 404,
    FaultKind.NOT_FOUND: 404,
    FaultKind.DIRECTORY_REDIRECT: 301,
    FaultKind.METHOD_NOT_ALLOWED: 405,
    FaultKind.PRECONDITION_FAILED: 412,
    FaultKind.RANGE_NOT_SATISFIABLE: 416,
    FaultKind.FORBIDDEN: 403,
    FaultKind.UNAUTHORIZED: 401,
    FaultKind.NO_ENDPOINT: 502,
    FaultKind.CONNECT_FAILED: 502,
    FaultKind.CONNECT_TIMEOUT: 504,
    FaultKind.UPSTREAM_CLOSED: 502,
    FaultKind.UPSTREAM_INVALID: 502,
    FaultKind.RESPONSE_TIMEOUT: 504,
    FaultKind.CLIENT_GONE: 499,
    FaultKind.TOO_MANY_JUMPS: 500,
    FaultKind.INTERNAL: 500,
}
_SENTENCES = {
    FaultKind.HEAD_TOO_LARGE: "Request Header Or Cookie Too Large",
    FaultKind.PLAIN_ON_TLS: "The plain HTTP request was sent to HTTPS port",
}
_CLOSING = frozenset({400, 408, 413, 414, 499, 500, 501})


@cache
def page(status: int, sentence: str = "") -> str:
    """Return the page of a status, empty when nginx has none; `sentence` says more about a 400."""
    title = TITLES.get(status)
    if title is None:
        return ""
    more = f"<center>{sentence}</center>\r\n" if sentence else ""
    head = f"400 {sentence}" if sentence else title
    return (
        f"<html>\r\n<head><title>{head}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        f"{more}<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )


def answer(status: int, *, location: Template = ()) -> Respond:
    """Return the answer `return STATUS`, or a redirect with its page."""
    fields = (HeaderValue(name="Location", value=location),) if location else ()
    text = page(status)
    if not text:
        return Respond(status=status, headers=fields, body=())
    return Respond(status=status, headers=(HTML, *fields), body=(Literal(text),))


@cache
def faults() -> FaultAnswers:
    """Return the answer to every fault."""
    return {kind: _fault(kind) for kind in FaultKind}


def _fault(kind: FaultKind) -> FaultAnswer:
    status = _STATUS[kind]
    return FaultAnswer(
        status=status,
        log_status=status,
        headers=(HTML,),
        body=(Literal(page(status, _SENTENCES.get(kind, ""))),),
        close=status in _CLOSING,
    )
