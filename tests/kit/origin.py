"""Origin servers that do what a test scripts, and keep exactly the bytes they received.

An `Origin` listens on a TCP port or a Unix socket and runs one thread a connection; the script gets a `Visit`, one
accepted connection. Without a script it answers every request with 200 and a JSON body that tells what came.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import itertools
import json
import select
import socket
import termios
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from tests.kit.waiting import LIMIT, until


class Gone(Exception):
    """The engine closed this connection."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as an origin got it; read leniently, for the engine's strictness is judged elsewhere."""

    line: str
    headers: tuple[tuple[str, str], ...]
    head: bytes
    body: bytes = b""
    chunks: tuple[bytes, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def version(self) -> str:
        return self.line.split(" ")[2]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None


@dataclass(eq=False)
class Visit:
    """One connection of the engine to an origin."""

    socket: socket.socket
    number: int
    data: bytearray = field(default_factory=bytearray)
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    taken: int = 0

    def read_more(self) -> None:
        """Receives once; `Gone` at the end."""
        try:
            part = self.socket.recv(65536)
        except OSError:
            part = b""
        if not part:
            self.ended.set()
            raise Gone
        self.data += part

    def read_until(self, mark: bytes) -> bytes:
        while (at := self.data.find(mark, self.taken)) < 0:
            self.read_more()
        start, self.taken = self.taken, at + len(mark)
        return bytes(self.data[start : self.taken])

    def read_exactly(self, count: int) -> bytes:
        while len(self.data) < self.taken + count:
            self.read_more()
        start, self.taken = self.taken, self.taken + count
        return bytes(self.data[start : self.taken])

    def read_head(self) -> Request:
        """The next request's head."""
        head = self.read_until(b"\r\n\r\n")
        lines = head[:-4].decode("latin-1").split("\r\n")
        return Request(line=lines[0], headers=tuple(_field(line) for line in lines[1:]), head=head)

    def read_request(self) -> Request:
        """The next request with its body, kept in `requests`."""
        head = self.read_head()
        body = b""
        chunks: list[bytes] = []
        trailers: tuple[tuple[str, str], ...] = ()
        if "chunked" in ",".join(head.all("transfer-encoding")).lower():
            while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
                chunks.append(self.read_exactly(size))
                self.read_exactly(2)
            lines = []
            while (line := self.read_until(b"\r\n")) != b"\r\n":
                lines.append(_field(line[:-2].decode("latin-1")))
            body, trailers = b"".join(chunks), tuple(lines)
        elif head.get("content-length"):
            body = self.read_exactly(int(head.get("content-length") or 0))
        request = Request(
            line=head.line, headers=head.headers, head=head.head, body=body, chunks=tuple(chunks), trailers=trailers
        )
        self.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def answer(self, body: bytes = b"ok", *headers: str, status: str = "200 OK") -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""])
        self.send(head.encode("latin-1") + body)

    def wait_taken(self) -> None:
        """Waits until the engine has read what was sent (Unix sockets; on TCP: acknowledged), or has closed."""
        count = array.array("i", [0])

        def taken() -> bool:
            try:
                fcntl.ioctl(self.socket, termios.TIOCOUTQ, count)
                readable = select.select([self.socket], [], [], 0)[0]
                return count[0] == 0 or bool(readable and not self.socket.recv(1, socket.MSG_PEEK))
            except OSError:
                return True

        until(taken, what="the engine to read")

    def finish_writing(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def read_to_end(self) -> None:
        """Takes whatever comes until the engine closes."""
        with contextlib.suppress(Gone):
            while True:
                self.read_more()


Script = Callable[[Visit], None]


def told(visit: Visit) -> tuple[Request, bytes]:
    """Reads a request; that, and as JSON what it was."""
    request = visit.read_request()
    seen = {
        "line": request.line,
        "headers": request.headers,
        "body": request.body.decode("latin-1"),
        "visit": visit.number,
    }
    return request, json.dumps(seen).encode()


def echo(visit: Visit) -> None:
    """Answers every request with what it was."""
    while True:
        visit.answer(told(visit)[1], "Content-Type: application/json")


def echoing(*headers: str) -> Script:
    """Answers every request with what it was and these fields; one that wants the head alone, with no body."""

    def script(visit: Visit) -> None:
        while True:
            request, text = told(visit)
            visit.answer(b"" if request.method == "HEAD" else text, *headers)

    return script


def answering(body: bytes = b"ok", *headers: str, status: str = "200 OK") -> Script:
    """Every request gets this."""

    def script(visit: Visit) -> None:
        while True:
            visit.read_request()
            visit.answer(body, *headers, status=status)

    return script


def raw(answer: bytes, *, close: bool = False) -> Script:
    """Every request gets these bytes; after the first the connection is closed when `close`."""

    def script(visit: Visit) -> None:
        while True:
            visit.read_request()
            visit.send(answer)
            if close:
                return

    return script


def once_each(*scripts: Script) -> Script:
    """The first connection runs the first script, and so on; the last one serves all that follow."""

    def script(visit: Visit) -> None:
        scripts[min(visit.number, len(scripts) - 1)](visit)

    return script


class Origin:
    """A listening origin. `with Origin(script) as origin: …`; `origin.address` is what an endpoint says."""

    def __init__(
        self, script: Script = echo, *, unix: str | None = None, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.script = script
        self.visits: list[Visit] = []
        self.failures: list[BaseException] = []
        self.unix = unix
        self._numbers = itertools.count()
        if unix:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(unix)
            self.port = 0
            self.address = f"unix:{unix}"
        else:
            self._listener = socket.socket(socket.AF_INET)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
            self.port = self._listener.getsockname()[1]
            self.address = f"{host}:{self.port}"
        self._listener.listen(512)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Origin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is None and self.failures:
            raise self.failures[0]

    @property
    def requests(self) -> list[Request]:
        """Everything that came, connection after connection."""
        return [request for visit in self.visits for request in visit.requests]

    @property
    def received(self) -> bytes:
        """Every byte that came, connection after connection."""
        return b"".join(bytes(visit.data) for visit in self.visits)

    def visit(self, number: int = 0) -> Visit:
        """The connection with this number, waited for."""
        until(lambda: len(self.visits) > number, what=f"connection {number} to the origin")
        return self.visits[number]

    def close(self) -> None:
        """Stops listening and ends every connection: from now on it is refused."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for visit in self.visits:
            visit.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(LIMIT * 4)
            visit = Visit(connection, next(self._numbers))
            self.visits.append(visit)
            threading.Thread(target=self._serve, args=(visit,), daemon=True).start()

    def _serve(self, visit: Visit) -> None:
        try:
            self.script(visit)
        except Gone:
            pass
        except BaseException as error:  # noqa: BLE001 - shown when the origin is closed
            self.failures.append(error)
        visit.close()
        visit.ended.set()


@contextlib.contextmanager
def dead() -> Iterator[str]:
    """An address that refuses: bound, so that nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """An address that answers no SYN: its accept queue is full (no packet leaves this machine)."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # more than the queue of 0 + 1 takes
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" \t")
