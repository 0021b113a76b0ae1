"""Static files as nginx serves them: the same requests to Debian's nginx and to the engine, the same answers.

Differences are named where they stand: nginx 1.31 sends ranges of compressed files, and the whole where ranges would
cost more; Debian's older one does neither. A listing says its length here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kit.daemun import Instance
from tests.kit.engine import Engine
from tests.kit.file_tree import BIG, LISTING, TYPES, make_tree, serving
from tests.kit.nginx import Nginx, is_installed
from tests.kit.plans import Json, files, text
from tests.kit.ports import free_ports
from tests.kit.wire import Client, Response

ITS_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
ETAG = '"2ebc98a1-82"'  # of hello.txt: 130 bytes
COMPARED = (
    "content-type",
    "content-length",
    "last-modified",
    "etag",
    "accept-ranges",
    "content-range",
    "content-encoding",
    "vary",
    "location",
)
LOCATIONS = """
    server {
        listen 127.0.0.1:PORT;
        absolute_redirect off;
        types { text/html html; text/plain txt; text/css css; application/javascript js; a/b bin; }
        root ROOT;
        location / { }
        location /alias/ { alias ROOT/; }
        location /part { alias ROOT/sub; }
        location /list/ { alias ROOT/; index none; autoindex on; }
        location /rough/ { alias ROOT/; index none; autoindex on; autoindex_exact_size off; }
        location /json/ { alias ROOT/; index none; autoindex on; autoindex_format json; }
        location /jsonp/ { alias ROOT/; index none; autoindex on; autoindex_format jsonp; }
        location /xml/ { alias ROOT/; index none; autoindex on; autoindex_format xml; }
        location /gz/ { gzip_static on; }
        location /vary/ { alias ROOT/gz/; gzip_static on; gzip_vary on; gzip_http_version 1.0; gzip_proxied any; }
        location /always/ { alias ROOT/gz/; gzip_static always; }
        location /before/ { alias ROOT/; if_modified_since before; max_ranges 2; }
        location /off/ { alias ROOT/; if_modified_since off; max_ranges 0; etag off; }
        location /second/ { alias ROOT/; index none index.html; }
        location /nolinks/ { alias ROOT/; disable_symlinks on; }
        location /owner/ { alias ROOT/; disable_symlinks if_not_owner from=ROOT; }
        location /bytype/ { alias ROOT/; types { } default_type ""; }
    }
"""


def actions(root: str) -> dict[str, Json]:
    """The same locations in the Plan."""

    def at(prefix: str, to: str = f"{root}/", **fields: object) -> Json:
        return {"files": files(to, alias={"prefix": prefix}, **fields)}

    def listed(prefix: str, **fields: object) -> Json:
        return at(prefix, index=[text("none")], listing={**LISTING, **fields})

    gzip = {"codings": ["gzip"]}
    return {
        "/": {"files": files(root)},
        "/alias/": at("/alias/"),
        "/part": at("/part", f"{root}/sub"),
        "/list/": listed("/list/"),
        "/rough/": listed("/rough/", exact_size=False),
        "/json/": listed("/json/", format="json"),
        "/jsonp/": listed("/jsonp/", format="jsonp"),
        "/xml/": listed("/xml/", format="xml"),
        "/gz/": {"files": files(root, precompressed=gzip)},
        "/vary/": at("/vary/", f"{root}/gz/", precompressed={**gzip, "vary": True, "http10": True, "proxied": True}),
        "/always/": at("/always/", f"{root}/gz/", precompressed={**gzip, "always": True}),
        "/before/": at("/before/", if_modified_since="before", max_ranges=2),
        "/off/": at("/off/", if_modified_since="off", max_ranges=0, etag=False),
        "/second/": at("/second/", index=[text("none"), text("index.html")]),
        "/nolinks/": at("/nolinks/", symlinks={"refuse": {"from": []}}),
        "/owner/": at("/owner/", symlinks={"same_owner": {"from": text(root)}}),
        "/bytype/": at("/bytype/", types="none", default_type=""),
    }


class Lowered:
    """The same nginx.conf run by Daemun."""

    def __init__(self, instance: Instance, text: str) -> None:
        [self.port] = free_ports(1)
        http = f"server_tokens off; access_log off; default_type text/plain; {text.replace('PORT', str(self.port))}"
        instance.write("nginx.conf", f"events {{ }} http {{ {http} }}")
        instance.run(config="nginx.conf")

    def client(self) -> Client:
        return Client(("127.0.0.1", self.port))


class Pair(NamedTuple):
    """Who is compared."""

    engine: Engine | Lowered
    nginx: Nginx


@pytest.fixture(scope="module", params=["plan", "nginx.conf"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """nginx, and the engine with a Plan made by hand or from the same file, over the same files."""
    if not is_installed():
        pytest.skip("nginx is not installed")
    root = make_tree(tmp_path_factory.mktemp("files") / "root")
    if request.param == "nginx.conf":
        text = LOCATIONS.replace("ROOT", str(root))
        with Nginx(text) as nginx, Instance() as instance:
            yield Pair(Lowered(instance, text), nginx)
        return
    plan = serving(actions(str(root)))
    plan["mime_types"] = {"types": TYPES, "none": {}}
    with Nginx(LOCATIONS.replace("ROOT", str(root))) as nginx, Engine(plan, threads=1) as engine:
        yield Pair(engine, nginx)


def ask(server: Engine | Lowered | Nginx, method: str, target: str, *headers: str) -> Response:
    with server.client() as client:
        body = b"x" if method in {"POST", "PUT"} else b""
        return client.request(method, target, *headers, body=body)


def shown(response: Response, *, but: str = "") -> object:
    """What is compared of an answer; a boundary is whatever it is, of one length."""
    fields = {name: response.get(name) for name in COMPARED if name != but}
    found = re.search(r"boundary=(\d{20})$", fields["content-type"] or "")
    body = response.body
    if found:
        fields["content-type"] = "multipart/byteranges"
        body = body.replace(found[1].encode(), b"BOUNDARY")
    return response.status, fields, body


def same(both: Pair, method: str, target: str, *headers: str) -> Response:
    theirs, ours = (ask(one, method, target, *headers) for one in (both.nginx, both.engine))
    but = ""
    if ours.status == 200 and target.startswith(("/list/", "/rough/", "/json", "/xml/")):
        but = "content-length"
    elif ours.get("content-encoding") == "gzip":
        but = "accept-ranges"
    assert shown(ours, but=but) == shown(theirs, but=but), f"{method} {target} {headers}"
    return ours


PATHS = [
    "/",
    "/index.html",
    "/hello.txt",
    "/hello.txt?query",
    "/hello.txt/",
    "/hello.txt/more",
    "/empty.txt",
    "/page.HTML",
    "/noext",
    "/.hidden",
    "/trailing.",
    "/two.tar.css",
    "/sp%20ace.txt",
    "/a+b&c;d=e.txt",
    "/a%2Bb%26c%3Bd%3De.txt",
    "/per%25cent.txt",
    "/quo%22te%3C%3E.txt",
    "/%C3%BC.txt",
    "/new%0Aline.txt",
    "/big.bin",
    "/sub",
    "/sub?a=b&c",
    "/sub/",
    "/sub/x.css",
    "/sub//x.css",
    "/sub/./x.css",
    "/sub/../hello.txt",
    "/sub%2Fx.css",
    "/sub%2F",
    "/bare",
    "/bare/",
    "/bare/b",
    "/hollow/",
    "/missing",
    "/missing/",
    "/missing/deeper",
    "/link.txt",
    "/away/x.css",
    "/away",
    "/away/",
    "/broken",
    "/loop",
    "/loop/",
    "/fifo",
    "/" + "x" * 60 + ".txt",
    "/" + "y" * 300,
    "/" + "z/" * 2000,
    "/a%00b",
    "/hello.txt%00",
    "/alias/hello.txt",
    "/alias/",
    "/alias/sub",
    "/alias/sub/",
    "/alias/sub?q",
    "/part/x.css",
    "/part",
    "/part/",
    "/partx",
    "/second/",
    "/second/bare/",
    "/second/missing/",
    "/list/",
    "/list/sub/",
    "/list/hollow/",
    "/list/missing/",
    "/list/sub",
    "/rough/",
    "/json/",
    "/json/hollow/",
    "/jsonp/",
    "/jsonp/?callback=f.x",
    "/jsonp/?callback=",
    "/xml/",
    "/gz/app.js",
    "/gz/alone.txt",
    "/gz/plain.txt",
    "/gz/dir.txt",
    "/vary/app.js",
    "/vary/alone.txt",
    "/vary/plain.txt",
    "/vary/dir.txt",
    "/always/app.js",
    "/always/alone.txt",
    "/always/plain.txt",
    "/nolinks/hello.txt",
    "/nolinks/sub/x.css",
    "/nolinks/sub/",
    "/nolinks/sub",
    "/nolinks/link.txt",
    "/owner/link.txt",
    "/owner/away/x.css",
    "/owner/hello.txt",
    "/bytype/hello.txt",
    "/bytype/noext",
    "/off/hello.txt",
    "/before/hello.txt",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"]


@pytest.mark.parametrize("method", METHODS)
def test_paths(both: Pair, method: str) -> None:
    """What a path names, in every method: status, fields and body are nginx's."""
    for path in PATHS:
        same(both, method, path)


def test_conditions(both: Pair) -> None:
    """If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since, alone and in pairs."""
    tags = [ETAG, f"W/{ETAG}", f'"a", {ETAG}', f'{ETAG},"b"', f'"a" , W/{ETAG} ,"c"', "*", '"other"', "x", ETAG[:-1]]
    dates = [
        ITS_DATE,
        EARLIER,
        LATER,
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "yesterday",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "0",
    ]
    alone = [
        *(f"If-Match: {tag}" for tag in tags),
        *(f"If-None-Match: {tag}" for tag in tags),
        *(f"If-Modified-Since: {date}" for date in dates),
        *(f"If-Unmodified-Since: {date}" for date in dates),
    ]
    statuses = set()
    for location in ("", "/before", "/off"):
        for field in alone:
            statuses.add(same(both, "GET", f"{location}/hello.txt", field).status)
    assert statuses == {200, 304, 412}
    some = [f"If-None-Match: {ETAG}", 'If-None-Match: "x"', f"If-Modified-Since: {ITS_DATE}"]
    more = [f"If-Modified-Since: {EARLIER}", f"If-Match: {ETAG}", 'If-Match: "x"', f"If-Unmodified-Since: {EARLIER}"]
    for pair in itertools.combinations([*some, *more], 2):
        if pair[0].split(":")[0] != pair[1].split(":")[0]:
            same(both, "GET", "/hello.txt", *pair)
            same(both, "HEAD", "/hello.txt", *pair, "Range: bytes=0-1")


RANGES = [
    "bytes=0-0",
    "bytes=0-4",
    "bytes=5-",
    "bytes=-5",
    "bytes=-1000",
    "bytes=129-129",
    "bytes=129-1000",
    "bytes=130-",
    "bytes=200-300",
    "bytes=-0",
    "bytes=0-129",
    "bytes=5-4",
    "bytes=0-4,10-14",
    "bytes=0-4,10-14,20-24",
    "bytes=0-4, 10-14",
    "bytes= 0 - 4 , -3",
    "bytes=0-4,500-",
    "bytes=500-,0-4",
    "bytes=0-99,50-129,0-9",
    "bytes=0-4,",
    "bytes=,0-4",
    "bytes=",
    "bytes=a-b",
    "bytes=1-2x",
    "bytes=--1",
    "bytes=-",
    "bytes=1",
    "bytes 0-4",
    "BYTES=0-4",
    "items=0-4",
    "bytes=99999999999999999999-",
    "bytes=0-99999999999999999999",
    "bytes=9223372036854775807-",
    "bytes=-9223372036854775807",
    "bytes=0-9223372036854775806",
]


def test_ranges(both: Pair) -> None:
    """One range and several, from the end, behind the end, malformed: of a small file, a large and an empty one."""
    statuses = set()
    for value in RANGES:
        for target in ("/hello.txt", "/big.bin", "/empty.txt", "/before/hello.txt", "/off/hello.txt"):
            statuses.add(same(both, "GET", target, f"Range: {value}", "Accept-Encoding: gzip").status)
        same(both, "HEAD", "/hello.txt", f"Range: {value}")
    assert statuses == {200, 206, 416}
    large = "bytes=0-99999,150000-249999,-10"
    assert len(same(both, "GET", "/big.bin", f"Range: {large}").body) > 200_000


def test_if_range(both: Pair) -> None:
    """A range is answered when the client has this very file."""
    for value in (ETAG, f"W/{ETAG}", '"x"', ITS_DATE, EARLIER, LATER, "x", '"'):
        same(both, "GET", "/hello.txt", f"If-Range: {value}", "Range: bytes=0-4")
        same(both, "GET", "/off/hello.txt", f"If-Range: {value}", "Range: bytes=0-4")


def test_ranges_that_cost_more_than_the_file(both: Pair) -> None:
    """Forty one-byte ranges of a small file get the file (nginx 1.31); with a limit of two, three ranges do."""
    many = ",".join(f"{n}-{n}" for n in range(40))
    ours = ask(both.engine, "GET", "/hello.txt", f"Range: bytes={many}")
    assert (ours.status, len(ours.body)) == (200, 130)
    assert same(both, "GET", "/before/hello.txt", "Range: bytes=0-0,2-2,4-4").status == 200


def test_accept_encoding(both: Pair) -> None:
    """Compressed files go to who takes them, by weight; to proxies and HTTP/1.0 as the location says."""
    for accepted in ("gzip", "gzip;q=0", "gzip;q=0.5", "x-gzip", "deflate, gzip", "*", "identity", "gzip;q=0.000", ""):
        for target in ("/gz/app.js", "/vary/app.js", "/always/app.js", "/gz/alone.txt", "/vary/alone.txt"):
            if accepted != "x-gzip":
                same(both, "GET", target, f"Accept-Encoding: {accepted}")
                same(both, "GET", target, f"Accept-Encoding: {accepted}", "Via: 1.1 proxy")
                same(both, "GET", target, f"Accept-Encoding: {accepted}", "If-None-Match: *")


def test_many_requests_on_one_connection(both: Pair) -> None:
    """Answers follow each other on a connection, whatever was asked."""
    with both.engine.client() as client:
        for _ in range(20):
            assert client.request("GET", "/big.bin").body == BIG
            assert client.request("HEAD", "/big.bin").body == b""
            assert client.request("GET", "/hello.txt", f"If-None-Match: {ETAG}").status == 304
            assert client.request("GET", "/big.bin", "Range: bytes=1-3").body == BIG[1:4]
            assert client.request("GET", "/missing").status == 404
            assert client.request("GET", "/empty.txt").body == b""


def test_a_directory_without_its_slash(tmp_path: Path) -> None:
    """Location is what the Plan puts before the path, or relative to what was asked for."""
    root = make_tree(tmp_path / "root")
    (root / "a:b").mkdir()
    absolute = [{"variable": "scheme"}, {"literal": "://"}, {"variable": "host"}, {"literal": ":80"}]
    plan = serving(
        {
            "/": {"files": files(str(root), redirect=absolute)},
            "/rel/": {"files": files(f"{root}/", alias={"prefix": "/rel/"}, redirect=None)},
        }
    )
    with Engine(plan) as engine, engine.client() as client:
        assert client.request("GET", "/sub?x=%20").get("location") == "http://example.org:80/sub/?x=%20"
        assert client.request("GET", "/bare/b").get("location") == "http://example.org:80/bare/b/"
        assert client.request("GET", "/rel/bare/b?q").get("location") == "./b/?q"
        assert client.request("GET", "/rel/a:b").get("location") == "./a:b/"
