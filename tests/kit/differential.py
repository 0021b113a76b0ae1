"""Asks two servers the same: requests made from a seed, and what came back in a form that can be compared.

Only what carries no meaning is left out of a comparison: Date, Server, the name of whoever answers in a fault's page.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.kit.waiting import LIMIT

METHODS = ["GET"] * 8 + ["HEAD"] * 2 + ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "get", "M-SEARCH"]
PLACES = ["", "a", "uri", "static", "try", "re/abc", "rw", "brk", "redir", "hdr", "exact", "if", "al", "private", "err"]
SEGMENTS = [
    "a", "b", "x.y", "a.txt", "b.html", "dir", "index.html", "big.bin", "none", "..", ".", "", "...", "%2e", "%2E%2e",
    "%2F", "%41%42", "%7Ex", "~x", "%20", "a%20b", "+", "a+b", "x;y=1", "%3B", "%25", "%2525", "%C3%A9", "%26", "&",
    "=", "@", ":", "!$'()*,", "%3F", "%23", "A", "Static",
]  # fmt: skip
ODD_TARGETS = [
    "*", "a", "http://example.org/a?b=1", "http://example.org", "HTTP://EXAMPLE.org/uri/a", "/%", "/%4", "/%zz", "/%00",
    "/../a", "/a/../../b", "//", "//a//b//", "/a\\b", "/?", "/#x", "/a#b?c", '/"', "/<>", "/{}", "/|", "/^`",
    "/" + "a" * 2000, "/x?" + "q" * 3000,
]  # fmt: skip
QUERIES = ["", "", "", "?", "?a=1", "?a=%20b&c=d", "?a&b", "?x?y", "?a=1;b=2", "?%41=%42", "?a=+&A=2", "??", "?/../x"]
FIELDS = [
    "X-One: 1", "X-Two:  spaced  ", "X-Empty:", "X-Dup: a", "X-Dup: b", "x_under: 1", "X.Dot: 1", "User-Agent: t",
    "Accept-Encoding: gzip, br", "Cookie: a=1; b=2", "Cookie: c=3", "Referer: http://r/?q", "X-Long: " + "v" * 900,
    "TE: trailers", "Keep-Alive: 5", "Upgrade: h2c", "X-Forwarded-For: 1.2.3.4", "Authorization: Basic eDp5",
    "Via: 1.1 x", 'X-Quote: "a\\b"', "Accept: */*", "Content-Type: text/x",
]  # fmt: skip
RANGES = [
    "bytes=0-0", "bytes=0-", "bytes=-5", "bytes=5-2", "bytes=0-4,6-8", "bytes=99999-", "bytes=-0", "bytes=a-b",
    "bytes=0-99999", "items=0-1", "bytes= 1 - 3", "bytes=0-1,,3-4", "bytes=", "bytes=-99999",
]  # fmt: skip
CONDITIONS = [
    "If-Modified-Since: Sat, 01 Jan 2022 00:00:00 GMT", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Modified-Since: nonsense", "If-None-Match: *", 'If-None-Match: "x"', 'If-None-Match: W/"61cf9980-a"',
    'If-Match: "x"', "If-Match: *", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Unmodified-Since: Sat, 01 Jan 2022 00:00:00 GMT", 'If-Range: "x"', "If-Range: Sat, 01 Jan 2022 00:00:00 GMT",
]  # fmt: skip
HOSTS = ["Host: example.org"] * 8 + ["Host: EXAMPLE.org:81", "Host: other", "Host: a.b.", "Host: [::1]", "Host: x_y"]
_IGNORED = {"date", "server"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as bytes and in the parts that differences are listed by."""

    number: int
    method: str
    target: str
    version: str
    fields: tuple[str, ...]
    body: bytes

    @property
    def raw(self) -> bytes:
        """What is sent."""
        lines = [f"{self.method} {self.target} {self.version}", *self.fields, "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. `status` is 0 when the connection was closed without an answer; `seen` is what the backend saw."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seen: Any


def requests(seed: int, count: int) -> Iterator[Asked]:
    """Make requests; the same seed makes the same."""
    draw = random.Random(seed)  # noqa: S311 - it must be the same again
    for number in range(count):
        method = draw.choice(METHODS)
        version = draw.choice(["HTTP/1.1"] * 6 + ["HTTP/1.0"])
        fields = [draw.choice(HOSTS)] if version == "HTTP/1.1" or draw.random() < 0.7 else []
        fields += draw.sample(FIELDS, draw.randrange(4))
        target = draw.choice(ODD_TARGETS) if draw.random() < 0.08 else _target(draw)
        if draw.random() < 0.2:
            fields.append(f"Range: {draw.choice(RANGES)}")
        if draw.random() < 0.15:
            fields.append(draw.choice(CONDITIONS))
        body = b""
        if method in {"POST", "PUT", "PATCH"} or draw.random() < 0.05:
            content = bytes(draw.choices(b"abc\r\n0", k=draw.choice([0, 1, 100, 2048, 2049, 5000])))
            if version == "HTTP/1.1" and draw.random() < 0.4:
                fields.append("Transfer-Encoding: chunked")
                body = _chunked(content, draw)
            else:
                fields.append(f"Content-Length: {len(content)}")
                body = content
        fields.append("Connection: close")
        yield Asked(number=number, method=method, target=target, version=version, fields=tuple(fields), body=body)


def ask(port: int, asked: Asked, tls: ssl.SSLContext | None = None) -> Answer:
    """Send a request over a connection of its own, over TLS to its host with a context, and read until it ends."""
    host = next((field.removeprefix("Host: ") for field in asked.fields if field.startswith("Host: ")), None)
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), LIMIT))
        if tls is not None:
            connection = stack.enter_context(tls.wrap_socket(connection, server_hostname=host))
        received = b""
        try:
            connection.sendall(asked.raw)
            while data := connection.recv(65536):
                received += data
        except ConnectionError:
            pass  # refused before the body was taken: what came before counts
    return _answer(received, asked)


def _target(draw: random.Random) -> str:
    parts = [draw.choice(PLACES), *draw.choices(SEGMENTS, k=draw.randrange(4))]
    return "/" + "/".join(parts) + draw.choice(QUERIES)


def _chunked(content: bytes, draw: random.Random) -> bytes:
    out = b""
    while content:
        size = draw.randrange(1, len(content) + 1)
        out += b"%x%s\r\n%s\r\n" % (size, draw.choice([b"", b";e=1"]), content[:size])
        content = content[size:]
    return out + b"0\r\n\r\n"


def _answer(received: bytes, asked: Asked) -> Answer:
    head, _, rest = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    match = re.match(r"HTTP/1\.[01] (\d{3})", lines[0])
    if match is None:
        return Answer(status=0, headers=(), body=received, seen=None)
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    if ("transfer-encoding", "chunked") in headers:
        rest = _unchunked(rest)
    seen = None
    if ("x-echo", "1") in headers and asked.method != "HEAD":
        seen = json.loads(rest)
        seen["headers"] = sorted([name.lower(), value] for name, value in seen["headers"])
        del seen["visit"]
        rest = b""
        headers = [one for one in headers if one[0] != "content-length"]
    boundary = next((value.partition("boundary=")[2] for name, value in headers if name == "content-type"), "")
    if boundary:
        # Anybody's choice, of one length.
        rest = rest.replace(boundary.encode(), b"BOUNDARY")
        headers = [(name, value.replace(boundary, "BOUNDARY")) for name, value in headers]
    kept = sorted(one for one in headers if one[0] not in _IGNORED)
    return Answer(status=int(match[1]), headers=tuple(kept), body=rest, seen=seen)


def _unchunked(rest: bytes) -> bytes:
    out = b""
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line.partition(b";")[0] or b"0", 16)
        if not size:
            return out
        out, rest = out + rest[:size], rest[size + 2 :]


def differing(one: Answer, other: Answer) -> Sequence[str]:
    """Return the names of what differs."""
    names = [name for name in ("status", "body", "seen") if getattr(one, name) != getattr(other, name)]
    first, second = set(one.headers), set(other.headers)
    names += sorted({f"header {name}" for name, _ in first ^ second})
    if "seen" in names and one.seen and other.seen:
        names.remove("seen")
        names += [f"seen {key}" for key in ("line", "headers", "body") if one.seen[key] != other.seen[key]]
    return names
