"""A file on its way: large and small, over TLS and HTTP/2, to slow readers, and what happens when it changes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.engine import Engine
from tests.kit.file_tree import BIG, make_tree, serving, serving_files
from tests.kit.gate import http2_listener
from tests.kit.http2 import Http2
from tests.kit.plans import access_log, files, listener, tls, tls_options
from tests.kit.waiting import until
from tests.kit.wire import Closed

LARGE = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_tree(tmp_path_factory.mktemp("bodies") / "root")
    (root / "large.bin").write_bytes(LARGE)
    for size in (4095, 4096, 4097, 16383, 16384, 16385, 32768, 32769):
        (root / f"{size}.bin").write_bytes(LARGE[:size])
    return root


@pytest.fixture(scope="module")
def engine(root: Path) -> Iterator[Engine]:
    with Engine(serving_files(root, precompressed={"codings": ["br", "zstd", "gzip"], "vary": True}), threads=1) as one:
        yield one


SIZES = [4095, 4096, 4097, 16383, 16384, 16385, 32768, 32769]


def test_every_size_arrives_whole(engine: Engine) -> None:
    """Around the borders at which a file goes another way."""
    with engine.client() as client:
        for size in SIZES:
            assert client.request("GET", f"/{size}.bin").body == LARGE[:size]
            part = client.request("GET", f"/{size}.bin", f"Range: bytes=1-{size - 2}")
            assert part.body == LARGE[1 : size - 1]
        assert client.request("GET", "/large.bin").body == LARGE
        several = client.request("GET", "/large.bin", "Range: bytes=0-99999,2000000-2099999,-1")
        assert several.status == 206
        assert LARGE[2_000_000:2_100_000] in several.body
        assert int(several.get("content-length") or 0) == len(several.body)


def test_over_tls(root: Path) -> None:
    """Sealed bytes are the same."""
    authority = Authority()
    plan = serving(
        {"/": {"files": files(str(root))}},
        listeners={"web": listener(tls=tls("example.org", default="example.org"))},
        names={"example.org": ["example.org"]},
        tls_options={"options": tls_options()},
    )
    with (
        Engine(plan, threads=1, certificates={"example.org": authority.issue("example.org")}) as engine,
        engine.tls_client(authority.trusting(), "example.org") as client,
    ):
        for size in SIZES:
            assert client.request("GET", f"/{size}.bin").body == LARGE[:size]
        assert client.request("GET", "/large.bin").body == LARGE
        assert LARGE[5:10] in client.request("GET", "/large.bin", "Range: bytes=5-9,50000-90000").body
        assert client.request("GET", "/hello.txt").status == 200


def test_over_http2(root: Path) -> None:
    """Frames carry the same bytes, several files at once; HEAD and 304 end with their head."""
    with (
        Engine(serving({"/": {"files": files(str(root))}}, listeners={"web": http2_listener()}), threads=1) as engine,
        Http2(engine.address()) as client,
    ):
        streams = [client.request("GET", f"/{size}.bin") for size in SIZES]
        large = client.request("GET", "/large.bin")
        several = client.request("GET", "/large.bin", ("range", "bytes=0-99999,2000000-2099999,-1"))
        head = client.request("HEAD", "/large.bin")
        same = client.request("GET", "/hello.txt", ("if-none-match", "*"))
        for size, stream in zip(SIZES, streams, strict=True):
            assert bytes(client.answer(stream).body) == LARGE[:size]
        assert bytes(client.answer(large).body) == LARGE
        assert LARGE[2_000_000:2_100_000] in bytes(client.answer(several).body)
        assert dict(client.answer(head).final or ())["content-length"] == str(len(LARGE))
        assert dict(client.answer(same).final or ())[":status"] == "304"


def test_a_slow_reader_holds_nobody_up(engine: Engine) -> None:
    """One thread, one client that reads nothing of a large file: others are served meanwhile."""
    with engine.client(receive_buffer=4096) as slow, engine.client() as quick:
        slow.send(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(20):
            assert quick.request("GET", "/large.bin", "Range: bytes=0-9").body == LARGE[:10]
        assert slow.read_response().body == LARGE


def test_pipelined_requests(engine: Engine) -> None:
    """Answers come in order, large ones between small ones."""
    with engine.client() as client:
        client.send(
            b"".join(b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % p for p in (b"one.txt", b"large.bin", b"hello.txt"))
        )
        assert client.read_response().body == b"1"
        assert client.read_response().body == LARGE
        assert client.read_response().body.startswith(b"hello")


def test_changes_are_seen_at_once(engine: Engine, root: Path) -> None:
    """Another content, another time, another file of this name, gone: the next request sees it."""
    path = root / "changing.txt"
    tags = set()
    with engine.client() as client:
        for step, content in enumerate([b"a", b"bb", b"cc", b"d" * 50_000]):
            fresh = root / "fresh"
            fresh.write_bytes(content)
            os.utime(fresh, (1_000_000_000 + step, 1_000_000_000 + step))
            fresh.replace(path)
            response = client.request("GET", "/changing.txt")
            assert response.body == content
            tags.add(response.get("etag"))
        path.unlink()
        assert client.request("GET", "/changing.txt").status == 404
    assert len(tags) == 4


def test_a_file_that_shrinks_is_cut(root: Path, engine: Engine) -> None:
    """What was promised cannot be sent: the connection ends, so that a part is not taken for the whole."""
    path = root / "shrinking.bin"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    with engine.client(receive_buffer=4096) as client:
        client.send(b"GET /shrinking.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read_head().get("content-length") == str(64 << 20)
        os.truncate(path, 1000)
        with pytest.raises(Closed):
            client.read_exactly(64 << 20)
    with engine.client() as client:
        assert client.request("GET", "/one.txt").body == b"1"


def test_a_file_that_shrinks_while_the_client_takes_all(root: Path, engine: Engine) -> None:
    """No event tells of it where the socket is not full: it is found out within a second or two."""
    path = root / "shrinking-too.bin"
    with open(path, "wb") as file:
        file.truncate(256 << 20)
    with engine.client() as client:
        client.send(b"GET /shrinking-too.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        client.read_head()
        os.truncate(path, 1000)
        with pytest.raises(Closed):
            client.read_exactly(256 << 20)


def test_a_client_that_leaves(engine: Engine) -> None:
    """A reset in the middle of a large file ends that exchange and nothing else; no file stays open."""
    for _ in range(5):
        with engine.client(receive_buffer=4096) as client:
            client.send(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            client.read_head()
            client.reset()
    descriptors = Path(f"/proc/{engine.process.pid}/fd")

    def none_open() -> bool:
        return not any("large.bin" in os.readlink(one) for one in descriptors.iterdir() if one.is_symlink())

    until(none_open, what="the files to be closed")
    with engine.client() as client:
        assert client.request("GET", "/big.bin").body == BIG


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, zstd, br", "br"),
        ("gzip, zstd, br;q=0.9", "zstd"),
        ("gzip;q=1, zstd;q=0.5, br;q=0.2", "gzip"),
        ("br;q=0, zstd;q=0, gzip;q=0.1", "gzip"),
        ("identity", None),
        ("br;q=0, gzip;q=0", None),
    ],
)
def test_the_best_coding_goes(engine: Engine, root: Path, accepted: str, coding: str | None) -> None:
    """The client's weight counts, then the order of the Plan; the type is that of the file itself."""
    for suffix, content in (("", b"plain"), (".br", b"br"), (".zst", b"zstd"), (".gz", b"gzip")):
        (root / f"codings.css{suffix}").write_bytes(content)
    with engine.client() as client:
        response = client.request("GET", "/codings.css", f"Accept-Encoding: {accepted}")
        assert response.get("content-encoding") == coding
        assert response.body == (coding or "plain").encode()
        assert response.get("content-type") == "text/css"
        assert response.get("vary") == "Accept-Encoding"
        tag = response.get("etag") or ""
        again = client.request("GET", "/codings.css", f"Accept-Encoding: {accepted}", f"If-None-Match: {tag}")
        assert (again.status, again.get("vary")) == (304, "Accept-Encoding")
        assert client.request("GET", "/hello.txt", f"Accept-Encoding: {accepted}").get("vary") is None


def test_the_page_of_a_single_page_application(root: Path) -> None:
    """What is not there is the page, with 200; what is there is itself."""
    plan = serving_files(root, fallback="/index.html")
    with Engine(plan) as engine, engine.client() as client:
        for target in ("/users/7", "/deeply/nested/route/", "/hollow/", "/missing.js"):
            response = client.request("GET", target)
            assert (response.status, response.body, response.get("content-type")) == (200, b"<p>home</p>", "text/html")
        assert client.request("GET", "/hello.txt").get("content-type") == "text/plain"
        assert client.request("GET", "/sub/").body == b"<p>sub</p>"
        assert client.request("GET", "/bare").status == 301
        assert client.request("POST", "/users/7").status == 404


def test_the_log_says_what_was_sent(root: Path, tmp_path: Path) -> None:
    """Whole, a part, nothing for HEAD and 304; of what was broken off, what had gone."""
    sink = {"file": {"path": str(tmp_path / "log"), "mode": 0o600}}
    fields = [("status", "status", "number"), ("bytes", "response_body_bytes", "number")]
    plan = serving_files(root)
    plan["logs"] = {"access": access_log(sink, fields)}
    plan["routes"]["/"]["logs"] = ["access"]
    with Engine(plan, threads=1) as engine:
        with engine.client() as client:
            client.request("GET", "/large.bin")
            client.request("GET", "/large.bin", "Range: bytes=0-99999")
            client.request("GET", "/hello.txt")
            client.request("HEAD", "/large.bin")
            client.request("GET", "/hello.txt", "If-None-Match: *")
        with engine.client(receive_buffer=4096) as client:
            client.send(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            client.read_head()
            client.reset()

        def logged() -> list[dict[str, int]]:
            path = tmp_path / "log"
            return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

        until(lambda: len(logged()) == 6, what="six lines")
    whole = [(line["status"], line["bytes"]) for line in logged()]
    assert whole[:5] == [(200, len(LARGE)), (206, 100_000), (200, 130), (200, 0), (304, 0)]
    assert 0 <= whole[5][1] < len(LARGE)
