"""What a strict HTTP/1 recipient refuses, as data: messages from clients and from origins (RFC 9112).

Each case is (name, bytes, statuses that are right). Requests end with a second, smuggled request where the message
would end for a lenient reader, so that any byte of it upstream is seen.
"""

from __future__ import annotations

from typing import NamedTuple

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


class Case(NamedTuple):
    """One message that is refused."""

    name: str
    data: bytes
    statuses: tuple[int, ...] = (400,)


def _fields(
    name: str, fields: bytes, *statuses: int, line: bytes = b"POST / HTTP/1.1", host: bytes = b"Host: a\r\n"
) -> Case:
    return Case(name, line + b"\r\n" + host + fields + b"\r\n" + SMUGGLED, statuses or (400,))


def _line(name: str, line: bytes, *statuses: int) -> Case:
    return Case(name, line + b"\r\nHost: a\r\n\r\n" + SMUGGLED, statuses or (400,))


CL = b"Content-Length: "
TE = b"Transfer-Encoding: "

HEADS = [
    # Two framings (RFC 9112 section 6.1).
    _fields("length and coding", CL + b"5\r\n" + TE + b"chunked\r\n"),
    _fields("coding and length", TE + b"chunked\r\n" + CL + b"0\r\n"),
    # Content-Length (RFC 9110 section 8.6, RFC 9112 section 6.3).
    _fields("lengths differ", CL + b"5\r\n" + CL + b"6\r\n"),
    _fields("lengths differ in a list", CL + b"5, 6\r\n"),
    _fields("length with plus", CL + b"+5\r\n"),
    _fields("length with minus", CL + b"-5\r\n"),
    _fields("length with letters", CL + b"5a\r\n"),
    _fields("length in hex", CL + b"0x5\r\n"),
    _fields("length empty", CL + b"\r\n"),
    _fields("length of two numbers", CL + b"5 5\r\n"),
    _fields("length with underscore", CL + b"1_0\r\n"),
    _fields("length with fraction", CL + b"5.0\r\n"),
    _fields("length overflows", CL + b"99999999999999999999\r\n", 400, 413),
    _fields("length just above 64 bits", CL + b"18446744073709551621\r\n", 400, 413),
    _fields("length with an empty member", CL + b"5,\r\n"),
    # Transfer-Encoding (RFC 9112 sections 6.1 and 7); 501 for what is not known is section 6.1's own word.
    _fields("coding unknown", TE + b"gzip\r\n", 400, 501),
    _fields("coding unknown before chunked", TE + b"gzip, chunked\r\n", 400, 501),
    _fields("coding identity", TE + b"identity\r\n", 400, 501),
    _fields("coding like chunked", TE + b"xchunked\r\n", 400, 501),
    _fields("coding with parameter", TE + b"chunked;a=b\r\n", 400, 501),
    _fields("coding quoted", TE + b'"chunked"\r\n', 400, 501),
    _fields("coding empty", TE + b"\r\n", 400, 501),
    _fields("chunked twice in a list", TE + b"chunked, chunked\r\n"),
    _fields("chunked twice in lines", TE + b"chunked\r\n" + TE + b"chunked\r\n"),
    _fields("chunked not last", TE + b"chunked, gzip\r\n", 400, 501),
    _fields("chunked in one line, another in the next", TE + b"chunked\r\n" + TE + b"identity\r\n", 400, 501),
    _fields("coding after a control character", b"Transfer-Encoding:\x0bchunked\r\n"),
    _fields("coding in 1.0", TE + b"chunked\r\n", line=b"POST / HTTP/1.0"),
    # Line ends and control characters (RFC 9112 section 2.2, RFC 9110 section 5.5).
    _fields("bare CR in a value", b"X: a\rb\r\n"),
    _fields("bare CR at the end of a value", b"X: a\r\r\n"),
    _fields("bare CR before a name", b"\rX: a\r\n"),
    _fields("bare LF ends a field", b"X: a\n"),
    _fields("bare LF ends a field before a framing field", b"X: a\n" + CL + b"5\r\n"),
    Case("bare LF ends the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n" + SMUGGLED),
    Case("bare LF ends the head", b"GET / HTTP/1.1\r\nHost: a\r\n\n" + SMUGGLED),
    Case("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n" + SMUGGLED),
    Case("bare CR ends the request line", b"GET / HTTP/1.1\rHost: a\r\n\r\n" + SMUGGLED),
    _fields("NUL in a value", b"X: a\0b\r\n"),
    _fields("control character in a value", b"X: a\x01b\r\n"),
    _fields("DEL in a value", b"X: a\x7fb\r\n"),
    _fields("NUL in a name", b"X\0Y: a\r\n"),
    # Field lines (RFC 9112 section 5).
    _fields("space before the colon", b"X : a\r\n"),
    _fields("space before the colon of a framing field", b"Content-Length : 5\r\n"),
    _fields("tab before the colon", b"X\t: a\r\n"),
    _fields("no colon", b"Nonsense\r\n"),
    _fields("no name", b": a\r\n"),
    _fields("space in a name", b"X Y: a\r\n"),
    _fields("delimiter in a name", b"X(Y): a\r\n"),
    _fields("obs-text in a name", b"X\xe9: a\r\n"),
    _fields("obs-fold with a space", b"X: a\r\n b\r\n"),
    _fields("obs-fold with a tab", b"X: a\r\n\tb\r\n"),
    _fields("obs-fold of a framing field", TE + b"\r\n chunked\r\n"),
    Case("space before the first field", b"GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n" + SMUGGLED),
    # Host (RFC 9112 section 3.2).
    _fields("two hosts", b"Host: b\r\n"),
    _fields("the same host twice", b"Host: a\r\n"),
    _fields("no host", b"", host=b""),
    _fields("no host beside absolute-form", b"", host=b"", line=b"GET http://a/ HTTP/1.1"),
    _fields("space in host", b"", host=b"Host: a b\r\n"),
    _fields("slash in host", b"", host=b"Host: a/b\r\n"),
    _fields("userinfo in host", b"", host=b"Host: u@a\r\n"),
    _fields("list in host", b"", host=b"Host: a, b\r\n"),
    # The request line (RFC 9112 section 3).
    _line("two spaces after the method", b"GET  / HTTP/1.1"),
    _line("two spaces before the version", b"GET /  HTTP/1.1"),
    _line("space after the version", b"GET / HTTP/1.1 "),
    _line("tab for a space", b"GET\t/ HTTP/1.1"),
    _line("space before the method", b" GET / HTTP/1.1"),
    _line("space in the target", b"GET /a b HTTP/1.1"),
    _line("control character in the target", b"GET /a\x01b HTTP/1.1"),
    _line("NUL in the target", b"GET /a\0b HTTP/1.1"),
    _line("DEL in the target", b"GET /a\x7fb HTTP/1.1"),
    _line("delimiter in the method", b"GE(T / HTTP/1.1"),
    _line("no method", b"/ HTTP/1.1"),
    _line("no version", b"GET /", 400, 505),
    _line("version in lower case", b"GET / http/1.1", 400, 505),
    _line("version with more digits", b"GET / HTTP/1.10", 400, 505),
    _line("version without minor", b"GET / HTTP/1", 400, 505),
    _line("target without slash", b"GET a HTTP/1.1"),
    _line("asterisk for GET", b"GET * HTTP/1.1"),
    _line("absolute-form without host", b"GET http:///a HTTP/1.1"),
    _line("absolute-form with userinfo", b"GET http://u:p@a/ HTTP/1.1"),
    _line("fragment in the target", b"GET /a#b HTTP/1.1"),
    # What has a status of its own.
    _line("version 2.0", b"GET / HTTP/2.0", 505),
    _line("version 3.0", b"GET / HTTP/3.0", 505),
    _line("version 0.9", b"GET / HTTP/0.9", 505),
    _line("CONNECT", b"CONNECT a:443 HTTP/1.1", 501),
    _fields("target beyond the limit", b"", 414, line=b"GET /" + b"a" * 300 + b" HTTP/1.1"),
    _fields("field beyond the limit", b"X: " + b"a" * 500 + b"\r\n", 431),
    _fields("more fields than the limit", b"X: a\r\n" * 40, 431),
    _fields("head beyond the limit", b"".join(b"X%d: %s\r\n" % (n, b"a" * 300) for n in range(5)), 431),
]

LIMITS = {"head_bytes": 1_024, "target_bytes": 256, "field_bytes": 400, "fields": 30, "chunk_line_bytes": 64}


def _chunks(name: str, body: bytes, *statuses: int) -> Case:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return Case(name, head + body + SMUGGLED, statuses or (400,))


END = b"0\r\n\r\n"

BODIES = [
    # Chunk sizes (RFC 9112 section 7.1).
    _chunks("size empty", b"\r\nhello\r\n" + END),
    _chunks("size no hex", b"g\r\nhello\r\n" + END),
    _chunks("size with minus", b"-5\r\nhello\r\n" + END),
    _chunks("size with plus", b"+5\r\nhello\r\n" + END),
    _chunks("size with 0x", b"0x5\r\nhello\r\n" + END),
    _chunks("size after a space", b" 5\r\nhello\r\n" + END),
    _chunks("size before a space", b"5 \r\nhello\r\n" + END),
    _chunks("size with underscore", b"0_5\r\nhello\r\n" + END),
    _chunks("size overflows", b"10000000000000005\r\nhello\r\n" + END),
    _chunks("size line too long", b"0" * 100 + b"5\r\nhello\r\n" + END),
    # Line ends (RFC 9112 section 2.2 allows bare LF in heads only).
    _chunks("bare LF after a size", b"5\nhello\r\n" + END),
    _chunks("bare LF after data", b"5\r\nhello\n" + END),
    _chunks("bare CR after a size", b"5\rhello\r\n" + END),
    _chunks("bare LF after the last size", b"5\r\nhello\r\n0\n\r\n"),
    _chunks("bare LF ends the trailers", b"5\r\nhello\r\n0\r\n\n"),
    _chunks("two CR after a size", b"5\r\r\nhello\r\n" + END),
    _chunks("data longer than its size", b"5\r\nhelloXY\r\n" + END),
    _chunks("data shorter than its size", b"5\r\nhell\r\n" + END),
    _chunks("nothing after data", b"5\r\nhello" + END),
    # Extensions (RFC 9112 section 7.1.1).
    _chunks("extension beyond the limit", b"5;" + b"a" * 100 + b"\r\nhello\r\n" + END),
    _chunks("bare CR in an extension", b"5;a\rb\r\nhello\r\n" + END),
    _chunks("bare LF in an extension", b"5;a\nb\r\nhello\r\n" + END),
    _chunks("NUL in an extension", b"5;a\0b\r\nhello\r\n" + END),
    _chunks("bare LF in a quoted extension", b'5;a="\n"\r\nhello\r\n' + END),
    # Trailers (RFC 9112 section 7.1.2: field lines like others).
    _chunks("bare LF ends a trailer", b"5\r\nhello\r\n0\r\nX: a\n\r\n"),
    _chunks("bare CR in a trailer", b"5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n"),
    _chunks("space before a trailer's colon", b"5\r\nhello\r\n0\r\nX : a\r\n\r\n"),
    _chunks("obs-fold in a trailer", b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n"),
    _chunks("NUL in a trailer", b"5\r\nhello\r\n0\r\nX: a\0\r\n\r\n"),
    _chunks("no colon in a trailer", b"5\r\nhello\r\n0\r\nNonsense\r\n\r\n"),
    _chunks("more trailers than the limit", b"5\r\nhello\r\n0\r\n" + b"X: a\r\n" * 40 + b"\r\n", 400, 431),
]

ACCEPTED = [
    ("GET", b"GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    ("length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    ("length zero", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", b""),
    ("length with zeros", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello", b"hello"),
    ("chunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
    (
        "chunked in capitals",
        b"POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n005\r\nhello\r\n00\r\n\r\n",
        b"hello",
    ),
    (
        "extensions and trailers",
        b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3 ;c="\\"d"\r\nllo\r\n0\r\nX: 1\r\n\r\n',
        b"hello",
    ),
    ("white space around values", b"POST / HTTP/1.1\r\nHost: \t a\t \r\nContent-Length:\t5 \r\n\r\nhello", b"hello"),
    ("an empty line before", b"\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
]


def _answer(name: str, fields: bytes, line: bytes = b"HTTP/1.1 200 OK") -> Case:
    return Case(name, line + b"\r\n" + fields + b"\r\nhello", (502,))


ANSWER_HEADS = [
    _answer("length and coding", CL + b"5\r\n" + TE + b"chunked\r\n"),
    _answer("lengths differ", CL + b"5\r\n" + CL + b"6\r\n"),
    _answer("lengths differ in a list", CL + b"5, 6\r\n"),
    _answer("length with plus", CL + b"+5\r\n"),
    _answer("length with minus", CL + b"-5\r\n"),
    _answer("length with letters", CL + b"5a\r\n"),
    _answer("length empty", CL + b"\r\n"),
    _answer("length overflows", CL + b"99999999999999999999\r\n"),
    _answer("coding unknown", TE + b"gzip\r\n"),
    _answer("coding unknown before chunked", TE + b"gzip, chunked\r\n"),
    _answer("chunked twice", TE + b"chunked, chunked\r\n"),
    _answer("chunked twice in lines", TE + b"chunked\r\n" + TE + b"chunked\r\n"),
    _answer("coding in 1.0", TE + b"chunked\r\n", b"HTTP/1.0 200 OK"),
    _answer("bare CR in a value", b"X: a\rb\r\n"),
    _answer("bare LF ends a field", b"X: a\n" + CL + b"5\r\n"),
    Case("bare LF ends the head", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello", (502,)),
    Case("bare LF ends the status line", b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello", (502,)),
    _answer("NUL in a value", b"X: a\0b\r\n"),
    _answer("control character in a value", b"X: a\x01b\r\n"),
    _answer("space before the colon", b"X : a\r\n"),
    _answer("no colon", b"Nonsense\r\n"),
    _answer("no name", b": a\r\n"),
    _answer("space in a name", b"X Y: a\r\n"),
    _answer("obs-fold", b"X: a\r\n b\r\n" + CL + b"5\r\n"),
    _answer("two status lines", b"HTTP/1.1 200 OK\r\n" + CL + b"5\r\n"),
    _answer("no HTTP", CL + b"5\r\n", b"SSH-2.0-OpenSSH_9.2"),
    _answer("version 2.0", CL + b"5\r\n", b"HTTP/2.0 200 OK"),
    _answer("version in lower case", CL + b"5\r\n", b"http/1.1 200 OK"),
    _answer("status of two digits", CL + b"5\r\n", b"HTTP/1.1 20 OK"),
    _answer("status of four digits", CL + b"5\r\n", b"HTTP/1.1 2000 OK"),
    _answer("status with letters", CL + b"5\r\n", b"HTTP/1.1 2xx OK"),
    _answer("status below 100", CL + b"5\r\n", b"HTTP/1.1 099 OK"),
    _answer("control character in the reason", CL + b"5\r\n", b"HTTP/1.1 200 O\x01K"),
    _answer("101 that nobody asked for", b"Upgrade: x\r\nConnection: Upgrade\r\n", b"HTTP/1.1 101 Switching Protocols"),
    _answer("more fields than the limit", b"X: a\r\n" * 40 + CL + b"5\r\n"),
    _answer("head beyond the limit", b"X: " + b"a" * 2_000 + b"\r\n" + CL + b"5\r\n"),
]

ANSWER_LIMITS = {"head_bytes": 1_024, "fields": 30, "chunk_line_bytes": 64}

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

ANSWER_BODIES = [
    Case("length longer than the body", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
    Case("chunks without end", _CHUNKED + b"5\r\nhello\r\n"),
    Case("chunk cut off", _CHUNKED + b"5\r\nhel"),
    Case("size no hex", _CHUNKED + b"5\r\nhello\r\nzz\r\n"),
    Case("bare LF after a size", _CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    Case("data longer than its size", _CHUNKED + b"5\r\nhelloXY\r\n0\r\n\r\n"),
    Case("size overflows", _CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    Case("extension beyond the limit", _CHUNKED + b"5;" + b"a" * 100 + b"\r\nhello\r\n0\r\n\r\n"),
    Case("bare LF ends a trailer", _CHUNKED + b"5\r\nhello\r\n0\r\nX: a\n\r\n"),
]
