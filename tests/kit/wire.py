"""A client that speaks raw bytes and reads answers strictly (RFC 9112), so that a test sees what was on the wire.

`Client` is one connection. `read_response` parses exactly one response and leaves what follows in the buffer; bytes
that are no valid response raise `WireError`. It does not follow, decode, retry or pool anything.
"""

from __future__ import annotations

import array
import fcntl
import select
import socket
import ssl
import termios
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

from tests.kit.waiting import LIMIT, until

Address = tuple[str, int] | str
"""(host, port), or the path of a Unix socket."""

_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class WireError(AssertionError):
    """What came is not what RFC 9112 allows."""


class Closed(WireError):
    """The peer closed before a whole message came."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """One response as it came; `interim` are the 1xx before it."""

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()
    framing: str = "none"
    chunks: tuple[bytes, ...] = ()
    interim: tuple[Response, ...] = field(default=())

    def all(self, name: str) -> list[str]:
        """Every value of this field, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The one value of this field; None without it; an error when it stands twice."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def text(self) -> str:
        return self.body.decode("latin-1")

    @property
    def closes(self) -> bool:
        """It says that the connection ends after it."""
        tokens = [t.strip().lower() for v in self.all("connection") for t in v.split(",")]
        return "close" in tokens or (self.version == "HTTP/1.0" and "keep-alive" not in tokens)


class Client:
    """One connection to the engine."""

    def __init__(
        self, address: Address, *, source: str | None = None, limit: float = LIMIT, receive_buffer: int = 0
    ) -> None:
        family = (
            socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        )
        self.socket: socket.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(limit)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.ended = False

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def secure(self, context: ssl.SSLContext, name: str | None, *, session: ssl.SSLSession | None = None) -> None:
        """Does the handshake; what follows is over TLS."""
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)

    @property
    def tls(self) -> ssl.SSLSocket:
        """The socket of a client that is over TLS."""
        assert isinstance(self.socket, ssl.SSLSocket)
        return self.socket

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, array.array("i", [1, 0]).tobytes())
        self.socket.close()

    # writing

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Each piece is sent when the peer has taken the one before; a peer that closes meanwhile is no error.

        On a Unix socket the kernel tells what the peer has not read yet, so the peer really sees the pieces apart.
        """
        try:
            for piece in pieces:
                self.socket.sendall(piece)
                if self.socket.family == socket.AF_UNIX:
                    until(lambda: self.ended_now() or self.untaken() == 0, what="the peer to read the piece")
        except (BrokenPipeError, ConnectionResetError):
            pass

    def untaken(self) -> int:
        """Bytes the peer has not taken yet (Unix: not read; TCP: not acknowledged)."""
        count = array.array("i", [0])
        fcntl.ioctl(self.socket, termios.TIOCOUTQ, count)
        return count[0]

    def ended_now(self) -> bool:
        """The peer has closed, seen without waiting and without taking bytes."""
        if not select.select([self.socket], [], [], 0)[0]:
            return False
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def finish_writing(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def request(
        self, method: str = "GET", target: str = "/", *headers: str, body: bytes = b"", host: str = "example.org"
    ) -> Response:
        """Sends a plain HTTP/1.1 request and reads its response."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return self.read_response(method)

    # reading

    def read_some(self) -> bytes:
        """What comes next; empty at the end. A reset counts as an end."""
        if self.buffer:
            data, self.buffer = bytes(self.buffer), bytearray()
            return data
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.ended = self.ended or not data
        return data

    def read_to_end(self) -> bytes:
        """Everything until the peer closes."""
        parts = []
        while part := self.read_some():
            parts.append(part)
        return b"".join(parts)

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        while (at := self.buffer.find(mark)) < 0:
            self._more(f"{mark!r}")
        taken = bytes(self.buffer[: at + len(mark)])
        del self.buffer[: at + len(mark)]
        return taken

    def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more(f"{count} bytes")
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def assert_ended(self) -> None:
        """The peer has closed and sent nothing more."""
        rest = self.read_to_end()
        if rest:
            raise WireError(f"expected the end, got {rest[:200]!r}")

    def read_head(self) -> Response:
        """One response head, 1xx or not; nothing of its body."""
        return _head(self.read_until(b"\r\n\r\n"))

    def read_response(self, method: str = "GET") -> Response:
        """One whole response with the 1xx before it; its body framed as RFC 9112 section 6.3 says."""
        interim: list[Response] = []
        while True:
            head = self.read_head()
            if 100 <= head.status < 200 and head.status != 101:
                interim.append(head)
                continue
            return self._body(head, method, tuple(interim))

    def _body(self, head: Response, method: str, interim: tuple[Response, ...]) -> Response:
        codings = [c.strip().lower() for v in head.all("transfer-encoding") for c in v.split(",")]
        lengths = head.all("content-length")
        if codings and lengths:
            raise WireError(f"Content-Length beside Transfer-Encoding: {head}")
        parts: dict[str, object] = {"framing": "none"}
        if head.status in (101, 204, 304) or method == "HEAD" or (method == "CONNECT" and head.status < 300):
            if head.status in (101, 204) and (codings or (lengths and head.status == 204)):
                raise WireError(f"framing fields in a {head.status}: {head}")
        elif codings:
            if codings != ["chunked"] or head.version != "HTTP/1.1":
                raise WireError(f"bad Transfer-Encoding: {head}")
            chunks, trailers = self.read_chunks()
            parts = {"framing": "chunked", "chunks": tuple(chunks), "body": b"".join(chunks), "trailers": trailers}
        elif lengths:
            if len(lengths) != 1 or not lengths[0].isdigit():
                raise WireError(f"bad Content-Length: {lengths}")
            parts = {"framing": "length", "body": self.read_exactly(int(lengths[0]))}
        else:
            parts = {"framing": "close", "body": self.read_to_end()}
        return Response(
            version=head.version,
            status=head.status,
            reason=head.reason,
            headers=head.headers,
            interim=interim,
            **parts,  # type: ignore[arg-type]
        )

    def read_chunk(self) -> bytes:
        """One chunk's data; empty for the last, whose trailers still stand in the buffer."""
        line = self.read_until(b"\r\n")[:-2]
        if not line or any(c not in b"0123456789abcdefABCDEF" for c in line):
            raise WireError(f"bad chunk-size line {line!r}")
        size = int(line, 16)
        data = self.read_exactly(size)
        if size and self.read_exactly(2) != b"\r\n":
            raise WireError("no CRLF after a chunk")
        return data

    def read_chunks(self) -> tuple[list[bytes], tuple[tuple[str, str], ...]]:
        """A whole chunked body with its trailers."""
        chunks = []
        while chunk := self.read_chunk():
            chunks.append(chunk)
        lines = []
        while (line := self.read_until(b"\r\n")[:-2]) != b"":
            lines.append(line)
        return chunks, tuple(_field(line) for line in lines)

    def _more(self, wanted: str) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError as error:
            raise WireError(
                f"nothing came for {self.socket.gettimeout()} s, waiting for {wanted}; have {bytes(self.buffer[:300])!r}"
            ) from error
        if not data:
            self.ended = True
            raise Closed(f"closed before {wanted}; have {bytes(self.buffer[:300])!r}")
        self.buffer += data


def _head(data: bytes) -> Response:
    lines = data[:-4].split(b"\r\n")
    start = lines[0].split(b" ", 2)
    if len(start) != 3 or start[0] not in (b"HTTP/1.1", b"HTTP/1.0") or len(start[1]) != 3 or not start[1].isdigit():
        raise WireError(f"bad status line {lines[0]!r}")
    return Response(
        version=start[0].decode(),
        status=int(start[1]),
        reason=start[2].decode("latin-1"),
        headers=tuple(_field(line) for line in lines[1:]),
    )


def _field(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not name or any(c not in _TOKEN for c in name):
        raise WireError(f"bad field line {line!r}")
    if any((c < 32 and c != 9) or c == 127 for c in value):
        raise WireError(f"control character in field line {line!r}")
    return name.decode(), value.decode("latin-1").strip(" \t")
