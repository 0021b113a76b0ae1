"""An instance's certificates against a real authority: `daemun.acme` with the answers served where Pebble looks.

    async with certificates(ca, resolver(ca), "a.example.com") as run:
        await run.until(lambda: run.materials(), what="a certificate")

HTTP-01 is answered by the control plane's own application on a TCP port, TLS-ALPN-01 by a small TLS server. Time is the
machine's, plus what `run.clock.forward(…)` adds.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from daemun.acme import status
from daemun.acme.acme import Acme
from daemun.acme.challenge import ALPN
from daemun.acme.preflight import Preflight
from daemun.acme.resolver import Resolver, Wish
from daemun.certificates.material import Material
from daemun.control.pages import pages
from daemun.control.server import serving
from daemun.plan.origin import Origin
from tests.kit.pebble import Pebble
from tests.kit.waiting import LIMIT

T = TypeVar("T")


class ShiftedClock:
    """The machine's clock, moved forward by a test."""

    def __init__(self) -> None:
        self._shift = timedelta(0)
        self._moved = asyncio.Event()
        self.waiters = 0
        """Who waits now, and wakes when time passes; whoever does not wait yet would not notice."""

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def forward(self, by: timedelta) -> None:
        """Let time pass at once."""
        self._shift += by
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, moment: datetime, wake: asyncio.Event | None = None) -> None:
        events = [self._moved, *([wake] if wake else [])]
        waiting = [asyncio.create_task(event.wait()) for event in events]
        seconds = max((moment - self.now()).total_seconds(), 0)
        self.waiters += 1
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiters -= 1
            for task in waiting:
                task.cancel()


class TokenFolder(MutableMapping[str, str]):
    """Tokens as files, so that several processes answer at one place."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, token: str) -> str:
        try:
            return (self._path / token).read_text()
        except OSError:
            raise KeyError(token) from None

    def __setitem__(self, token: str, answer: str) -> None:
        (self._path / token).write_text(answer)

    def __delitem__(self, token: str) -> None:
        try:
            (self._path / token).unlink()
        except FileNotFoundError:
            raise KeyError(token) from None

    def __iter__(self) -> Iterator[str]:
        return iter([path.name for path in self._path.iterdir()])

    def __len__(self) -> int:
        return len(list(self._path.iterdir()))


class Counted(dict[str, str]):
    """Tokens in memory, and how many there were at most."""

    most = 0

    def __setitem__(self, token: str, answer: str) -> None:
        super().__setitem__(token, answer)
        self.most = max(self.most, len(self))


class Answers:
    """Where challenges are answered."""

    def __init__(self, tokens: MutableMapping[str, str] | None = None) -> None:
        self.tokens: MutableMapping[str, str] = Counted() if tokens is None else tokens
        self.shown: dict[str, ssl.SSLContext] = {}
        self.put_names: list[str] = []

    async def put(self, name: str, chain: str, key: str) -> None:
        self.put_names.append(name)
        self.shown[name] = _tls_context(chain, key)

    async def drop(self, name: str) -> None:
        del self.shown[name]

    @contextlib.asynccontextmanager
    async def at(self, *, http_port: int | None, tls_port: int | None) -> AsyncIterator[None]:
        """Serve the answers."""
        async with contextlib.AsyncExitStack() as stack:
            if http_port is not None:
                await stack.enter_async_context(serving(pages(self.tokens), listener(http_port)))
            if tls_port is not None:
                server = await asyncio.start_server(self._close, sock=listener(tls_port), ssl=self._choosing())
                stack.push_async_callback(self._end, server)
            yield

    def _choosing(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols([ALPN])

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if name not in self.shown:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self.shown[name]
            return None

        context.sni_callback = choose
        return context

    async def _close(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()


class Run:
    """A running `Acme`."""

    def __init__(self, acme: Acme, *, directory: Path, clock: ShiftedClock, answers: Answers) -> None:
        self.acme = acme
        self.directory = directory
        self.clock = clock
        self.answers = answers
        self.changes = 0

    def materials(self) -> dict[str, Material]:
        return dict(self.acme.materials())

    def rows(self) -> list[dict[str, Any]]:
        """What `daemun certs` would show."""
        content = status.read(self.directory / "status.json")
        return list(content["certificates"]) if content else []

    def trouble(self) -> dict[str, Any] | None:
        """The first failure that the status shows."""
        return next((row["trouble"] for row in self.rows() if row["trouble"]), None)

    async def later(self, by: timedelta) -> None:
        """Let time pass at once, as soon as the loop waits."""
        await self.at_rest()
        self.clock.forward(by)

    async def at_rest(self) -> None:
        """Return when the loop waits for time to pass."""
        await self.until(lambda: self.clock.waiters, what="a loop that waits")

    async def until(self, fact: Callable[[], T | None], *, what: str) -> T:
        """Wait for a fact."""
        end = time.monotonic() + LIMIT
        while not (value := fact()):
            assert time.monotonic() < end, f"waited {LIMIT} s for: {what}"
            await asyncio.sleep(0.005)  # between two looks
        return value

    async def certificate(self, *names: str) -> Material:
        """Wait for the certificate of these names."""
        return await self.until(lambda: self.found(names), what=f"the certificate of {names}")

    def found(self, names: Collection[str]) -> Material | None:
        return next((m for m in self.materials().values() if set(m.names) >= set(names)), None)


def resolver(ca: Pebble, **fields: Any) -> Resolver:
    """A resolver `le` that proves names by HTTP-01."""
    values: dict[str, Any] = {
        "name": "le",
        "ca_server": ca.directory,
        "storage": "acme.json",
        "email": "who@example.com",
        "ca_certificates": (str(ca.root),),
        "http_entry_point": "web",
        **fields,
    }
    return Resolver(**values)


def wish(*names: str, resolver: str = "le", line: int = 7) -> Wish:
    """What a router wants."""
    return Wish(resolver=resolver, names=names, origin=Origin(name="web@file", file="dynamic.toml", line=line))


@contextlib.asynccontextmanager
async def certificates(
    ca: Pebble,
    resolvers: Resolver | Sequence[Resolver],
    *wishes: Wish | str,
    directory: Path | None = None,
    covered: Collection[str] = (),
    draw: Callable[[], float] = lambda: 0.5,
    serve: bool = True,
    addresses: Mapping[str, Sequence[str]] | None = None,
) -> AsyncIterator[Run]:
    """Run `Acme` with these wishes; a name alone is a wish for it."""
    async with contextlib.AsyncExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daemun-acme-")))
        clock, answers = ShiftedClock(), Answers()
        if serve:
            await stack.enter_async_context(answers.at(http_port=ca.http_port, tls_port=ca.tls_port))

        async def resolve(name: str) -> Sequence[str]:
            return (addresses or {}).get(name, ("127.0.0.1",))

        def changed() -> None:
            run.changes += 1

        acme = Acme(
            directory=directory,
            challenges=answers,
            changed=changed,
            status_file=directory / "status.json",
            clock=clock,
            draw=draw,
            preflight=Preflight(answers, now=clock.now, resolve=resolve, http_port=ca.http_port, tls_port=ca.tls_port),
        )
        run = Run(acme, directory=directory, clock=clock, answers=answers)
        wanted = [one if isinstance(one, Wish) else wish(one) for one in wishes]
        await acme.want([resolvers] if isinstance(resolvers, Resolver) else resolvers, wanted, covered)
        task = asyncio.create_task(acme.run())
        try:
            yield run
        finally:
            ended = task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert not ended, "run() ended by itself"


def _tls_context(chain: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols([ALPN])
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(chain + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def listener(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(128)
    made.setblocking(False)
    return made
