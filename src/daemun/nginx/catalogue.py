"""The one table of directives: where each may stand, with how many arguments, and what becomes of it here.

A row of the tables (`catalogue_core`, `catalogue_proxy`, `catalogue_rest`) is `name contexts arguments verdict remark`:

    contexts    M main, E events, H http, S server, L location, U upstream, I `if` in a server, J `if` in a location,
                X limit_except
    arguments   `1`, `1-2`, `1+`, `flag` (on or off); `{` opens a block; `*` may stand more than once in a block
    verdict     `yes`; `idle`: accepted, without effect here; `no`: not served, the remark says what to do instead, and
                `no(off)` is accepted with that word

What values mean is the business of the parts of lowering.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from daemun.nginx import catalogue_core, catalogue_proxy, catalogue_rest

TABLES = (catalogue_core, catalogue_proxy, catalogue_rest)
CONTEXTS = {
    "M": "main",
    "E": "events",
    "H": "http",
    "S": "server",
    "L": "location",
    "U": "upstream",
    "I": "if in server",
    "J": "if in location",
    "X": "limit_except",
}
_HTTP_ONLY = "serve the application over HTTP and use proxy_pass"
# Families of which only the directive that passes requests on is worth a word: the others have no effect without it.
FAMILIES = {
    "fastcgi_": f"FastCGI is not spoken: {_HTTP_ONLY} (PHP by FrankenPHP, RoadRunner or Apache)",
    "uwsgi_": f"uwsgi is not spoken: {_HTTP_ONLY} (uwsgi --http-socket)",
    "scgi_": f"SCGI is not spoken: {_HTTP_ONLY}",
    "grpc_": "gRPC to upstreams comes later",
    "memcached_": "memcached is not spoken: ask the application",
    "js_": "njs is not run: use map, rewrite, or the application",
    "perl_": "Perl is not run: use map, rewrite, or the application",
    "geoip": "GeoIP databases are not read: use geo with networks",
    "xslt_": "documents are not transformed: do it in the application",
    "image_filter": "images are not transformed: do it in the application",
    "brotli_": "responses are not compressed in this version",
    "auth_jwt_": "check tokens in the application, or with auth_request",
    "otel_": "traces are not sent in this version",
    "quic_": "HTTP/3 comes later",
    "http3_": "HTTP/3 comes later",
    "zone_sync": "counts are this machine's own",
    "keyval": "use map",
    "hls": "serve the files as they are",
    "f4f": "serve the files as they are",
    "mp4_": "serve the files as they are",
    "ssi_": "include parts in the application",
    "sub_filter_": "change the text in the application",
    "userid_": "set cookies in the application",
    "dav_": "take uploads in the application",
    "spdy_": "HTTP/2 is served: http2 on",
}
_PASS = ("_pass", "js_content", "geoip_country", "geoip_city", "geoip_org", "geoip2", "image_filter", "xslt_stylesheet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One way to write a directive. `most` is None without an upper bound."""

    name: str
    contexts: str
    least: int
    most: int | None
    flag: bool
    block: bool
    repeats: bool
    verdict: str
    harmless: tuple[str, ...]
    remark: str
    words: str


@cache
def catalogue() -> dict[str, tuple[Shape, ...]]:
    """Return every directive's shapes by name."""
    found: dict[str, tuple[Shape, ...]] = {}
    for table in TABLES:
        for shape in rows(table.ROWS):
            found[shape.name] = (*found.get(shape.name, ()), shape)
    return found


def rows(text: str) -> Iterator[Shape]:
    """Read a table."""
    for line in text.strip().splitlines():
        name, contexts, words, verdict, *rest = line.split(" ", 4)
        plain = words.rstrip("*{")
        low, _, high = plain.partition("-")
        kind, _, harmless = verdict.rstrip(")").partition("(")
        yield Shape(
            name=name,
            contexts=contexts,
            least=1 if plain == "flag" else int(low.rstrip("+")),
            most=1 if plain == "flag" else None if "+" in low else int(high or low),
            flag=plain == "flag",
            block="{" in words,
            repeats="*" in words,
            verdict=kind,
            harmless=tuple(harmless.split("|")) if harmless else (),
            remark=rest[0] if rest else "",
            words=words,
        )


def family_of(name: str) -> str | None:
    """Return what to use instead of a directive of a family that is not served; None when it is of none."""
    for prefix, remedy in FAMILIES.items():
        if name.startswith(prefix):
            return remedy
    return None


def is_worth_a_word(name: str) -> bool:
    """Tell a family's directive that does something from those that only say how."""
    return name.endswith(_PASS) or name in _PASS
