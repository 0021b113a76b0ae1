"""What Pebble does not do: rate limits, maintenance, answers that are none, an authority that hangs.

A small server of our own speaks as much ACME as a refusal needs, in plain HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from daemun.acme.acme import Acme
from daemun.acme.preflight import Preflight
from daemun.acme.resolver import Resolver
from tests.kit.acme import Answers, Run, ShiftedClock, wish

Said = tuple[int, dict[str, str], dict[str, Any] | str]
Script = Callable[[str, int], Said]


class Server(ThreadingHTTPServer):
    """Answers newAccount by a script: the path and how often it was asked give status, fields and body."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.asked: list[str] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        paths = {name: f"{self.server.url}/{name}" for name in ("newNonce", "newAccount", "newOrder")}
        self.send(200, {}, paths)

    def do_HEAD(self) -> None:
        self.send(200, {}, "")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        self.send(*self.server.script(self.path, len(self.server.asked)))

    def send(self, status: int, fields: dict[str, str], body: dict[str, Any] | str) -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Replay-Nonce": "bm9uY2U", "Content-Length": str(len(content)), **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Server]:
    """The server, listening."""
    server = Server(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.asynccontextmanager
async def asking(server: Server, directory: Path, *names: str, **fields: Any) -> AsyncIterator[Run]:
    """Run `Acme` against the server."""
    clock, answers = ShiftedClock(), Answers()

    async def resolve(_: str) -> list[str]:
        return ["127.0.0.1"]

    acme = Acme(
        directory=directory,
        challenges=answers,
        changed=lambda: None,
        status_file=directory / "status.json",
        clock=clock,
        draw=lambda: 0.0,
        preflight=Preflight(answers, now=clock.now, resolve=resolve, http_port=1),
    )
    resolver = Resolver(name="le", ca_server=f"{server.url}/dir", storage="acme.json", http_entry_point="web", **fields)
    await acme.want([resolver], [wish(name) for name in names])
    task = asyncio.create_task(acme.run())
    try:
        yield Run(acme, directory=directory, clock=clock, answers=answers)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def problem(kind: str, detail: str) -> dict[str, Any]:
    return {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail}


def pause(trouble: dict[str, Any]) -> float:
    """How long is waited after a failure, seconds."""
    passed = datetime.fromisoformat(trouble["next"]) - datetime.fromisoformat(trouble["at"])
    return passed.total_seconds()


def test_rate_limit(tmp_path: Path) -> None:
    """After a rate limit nothing is asked before Retry-After has passed, for no name, and after a restart neither."""

    def script(_: str, asked: int) -> Said:
        later = {"Retry-After": "7200"} if asked == 1 else {}
        return 429, {"Content-Type": "application/problem+json", **later}, problem("rateLimited", "too many")

    async def scenario(server: Server) -> None:
        names = "a.example.com", "b.example.com"
        async with asking(server, tmp_path, *names) as run:
            trouble = await run.until(run.trouble, what="the failure")
            assert trouble["message"] == "the authority says: too many (rateLimited)"
            assert "staging" in trouble["advice"]
            assert abs(pause(trouble) - 7200) < 5
            await looked_again(run, timedelta(minutes=119))
        async with asking(server, tmp_path, *names) as run:
            await looked_again(run, timedelta(minutes=119))
            assert len(server.asked) == 1
            await run.later(timedelta(minutes=2))
            await run.until(lambda: len(server.asked) > 1, what="another question")

    with serving(script) as server:
        asyncio.run(scenario(server))


async def looked_again(run: Run, later: timedelta) -> None:
    """Let time pass, and wait until the loop has looked at what is due then."""
    status = run.directory / "status.json"

    def written() -> tuple[int, int]:
        """The inode alone may be one that was used before."""
        at = status.stat()
        return at.st_ino, at.st_mtime_ns

    await run.at_rest()
    before = written()
    await run.later(later)
    await run.until(lambda: written() != before, what="another look")


def test_maintenance(tmp_path: Path) -> None:
    """A 503 without a problem document is an authority out of order: said so, tried again after its Retry-After."""

    async def scenario(server: Server) -> None:
        async with asking(server, tmp_path, "a.example.com") as run:
            trouble = await run.until(run.trouble, what="the failure")
            assert "answers 503 without saying why" in trouble["message"]
            assert "maintained" in trouble["advice"]
            assert abs(pause(trouble) - 90) < 5

    with serving(lambda *_: (503, {"Retry-After": "90"}, "<html>down</html>")) as server:
        asyncio.run(scenario(server))


def test_every_nonce_is_bad(tmp_path: Path) -> None:
    """An authority that takes no nonce at all is not asked for ever."""

    async def scenario(server: Server) -> None:
        async with asking(server, tmp_path, "a.example.com") as run:
            trouble = await run.until(run.trouble, what="the failure")
            assert "(badNonce)" in trouble["message"]
            assert len(server.asked) == 10

    with serving(lambda *_: (400, {"Content-Type": "application/problem+json"}, problem("badNonce", "no"))) as server:
        asyncio.run(scenario(server))


def test_agreement_is_wanted(tmp_path: Path) -> None:
    """An authority that wants its terms agreed to anew: its words have the page, and what to do then is said."""

    async def scenario(server: Server) -> None:
        async with asking(server, tmp_path, "a.example.com") as run:
            trouble = await run.until(run.trouble, what="the failure")
            assert "https://ca.example/terms" in trouble["message"]
            assert "daemun certs renew" in trouble["advice"]

    terms = problem("userActionRequired", "agree at https://ca.example/terms")
    with serving(lambda *_: (403, {}, terms)) as server:
        asyncio.run(scenario(server))


def hanging() -> Iterator[Server]:
    """An authority that accepts a request and says nothing until the test is over."""

    def script(*_: object) -> Said:
        server.released.wait(60)
        return 500, {}, ""

    with serving(script) as server:
        yield server


hangs = pytest.fixture(hanging, name="hangs")


def test_an_authority_that_hangs(tmp_path: Path, hangs: Server) -> None:
    """An authority that accepts and says nothing does not hold up the end of the process."""

    async def scenario() -> None:
        async with asking(hangs, tmp_path, "a.example.com") as run:
            await run.until(lambda: hangs.asked, what="the question")

    asyncio.run(scenario())
    assert not hangs.released.is_set(), "it ended although nothing was answered"


def test_a_slow_answer_is_given_up(tmp_path: Path, hangs: Server) -> None:
    """clientResponseHeaderTimeout bounds how long an answer is waited for."""

    async def scenario() -> None:
        async with asking(hangs, tmp_path, "a.example.com", response_head_timeout=0.05) as run:
            trouble = await run.until(run.trouble, what="the failure")
            assert "does not answer in time" in trouble["message"]

    asyncio.run(scenario())
