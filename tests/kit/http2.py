"""A client that speaks HTTP/2 frame by frame (RFC 9113), so that a test says what is sent and sees what came.

`Http2` is one connection. It acknowledges SETTINGS and PING and gives back the windows of what it has read, unless a
test says otherwise; it keeps nothing of the rules for what it sends, so malformed requests are as easy as others.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import hpack
from hyperframe import frame as frames
from hyperframe.exceptions import InvalidFrameError

from tests.kit.waiting import LIMIT
from tests.kit.wire import Address, Closed, WireError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 7, 8, 9, 11
WINDOW = 65_535
"""Of a connection, and of a stream without SETTINGS (RFC 9113 section 6.9.2)."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

Fields = Sequence[tuple[str, str]]


def frame(kind: int, number: int = 0, payload: bytes = b"", *, flags: int = 0) -> bytes:
    """A frame of any kind, right or wrong (RFC 9113 section 4.1)."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + number.to_bytes(4) + payload


@dataclass(eq=False)
class Stream:
    """What came on one stream."""

    number: int
    heads: list[Fields] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    frames: list[int] = field(default_factory=list)
    """Sizes of the DATA frames."""
    ended: bool = False
    reset: int | None = None
    window: int = WINDOW
    """What may be sent on it."""

    @property
    def interim(self) -> list[Fields]:
        """Heads of 1xx responses."""
        return [head for head in self.heads if dict(head).get(":status", "").startswith("1")]

    @property
    def final(self) -> Fields | None:
        """The head of the response."""
        return next((h for h in self.heads if (s := dict(h).get(":status")) and not s.startswith("1")), None)

    @property
    def status(self) -> int:
        assert self.final, f"stream {self.number} has no response: reset {self.reset}"
        return int(dict(self.final)[":status"])

    @property
    def trailers(self) -> Fields:
        """Fields that came behind the body."""
        return next((head for head in self.heads if ":status" not in dict(head)), ())

    @property
    def text(self) -> str:
        return self.body.decode("latin-1")

    def all(self, name: str) -> list[str]:
        """Every value of this field of the response."""
        assert self.final
        return [value for key, value in self.final if key == name]

    def get(self, name: str) -> str | None:
        """The one value of this field; None without it."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def done(self) -> bool:
        return self.ended or self.reset is not None


class Http2:
    """One connection to the engine, its preface and SETTINGS sent."""

    def __init__(
        self,
        address: Address | socket.socket,
        *,
        settings: dict[int, int] | None = None,
        reads: bool = True,
        limit: float = LIMIT,
        receive_buffer: int = 0,
        preface: bytes = PREFACE,
    ) -> None:
        if isinstance(address, socket.socket):
            self.socket = address
        else:
            self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
            if receive_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.socket.connect(address)
            if not isinstance(address, str):
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(limit)
        self.reads = reads
        """Gives back the windows of DATA that was read."""
        self.streams: dict[int, Stream] = {}
        self.window = WINDOW
        self.settings: dict[int, int] = {}
        self.goaways: list[tuple[int, int]] = []
        """Last stream and error of every GOAWAY."""
        self.pongs = 0
        self.ended = False
        self._next = 1
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder(max_header_list_size=1 << 24)
        self._buffer = bytearray()
        self._block = bytearray()
        self._initial = WINDOW
        self.send(preface + frames.SettingsFrame(0, settings=settings or {}).serialize())

    def __enter__(self) -> Http2:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    # writing

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_frames(self, *which: frames.Frame) -> None:
        """Sends frames as they are."""
        self.send(b"".join(one.serialize() for one in which))

    def head(
        self,
        method: str = "GET",
        path: str = "/",
        *fields: tuple[str, str],
        authority: str | None = "example.org",
        scheme: str = "http",
    ) -> list[tuple[str, str]]:
        """The fields of a request."""
        pseudo = [(":method", method), (":scheme", scheme), (":path", path)]
        return [*pseudo, *([(":authority", authority)] if authority is not None else []), *fields]

    def block(self, fields: Iterable[tuple[str, str]]) -> bytes:
        """A header block."""
        encoded: bytes = self._encoder.encode([(n.encode("latin-1"), v.encode("latin-1")) for n, v in fields])
        return encoded

    def begin(self, fields: Iterable[tuple[str, str]], *, end: bool = True, number: int | None = None) -> Stream:
        """Opens a stream with these fields."""
        number = self._next if number is None else number
        self._next = max(self._next, number + 2)
        stream = self.streams.setdefault(number, Stream(number, window=self._initial))
        data = self.block(fields)
        parts = [data[at : at + 16_384] for at in range(0, len(data), 16_384)] or [b""]
        head = frames.HeadersFrame(number, data=parts[0], flags=["END_STREAM"] if end else [])
        rest = [frames.ContinuationFrame(number, data=part) for part in parts[1:]]
        (rest[-1] if rest else head).flags.add("END_HEADERS")
        self.send_frames(head, *rest)
        return stream

    def request(
        self, method: str = "GET", path: str = "/", *fields: tuple[str, str], body: bytes = b"", end: bool = True
    ) -> Stream:
        """Sends a request, with a body as its windows allow; `end` False: more of it is to come."""
        stream = self.begin(self.head(method, path, *fields), end=end and not body)
        if body:
            self.send_body(stream, body, end=end)
        return stream

    def send_body(self, stream: Stream, body: bytes, *, end: bool = True) -> None:
        """Sends DATA; reads frames where a window is empty. Stops when the stream was reset."""
        view = memoryview(body)
        while view:
            room = min(self.window, stream.window, 16_384, len(view))
            if room <= 0:
                self.read_frame()
                if stream.reset is not None:
                    return
                continue
            self.window -= room
            stream.window -= room
            last = end and room == len(view)
            self.data(stream, bytes(view[:room]), end=last)
            view = view[room:]

    def data(self, stream: Stream, data: bytes, *, end: bool = False) -> None:
        """One DATA frame, whatever the windows say."""
        self.send_frames(frames.DataFrame(stream.number, data=data, flags=["END_STREAM"] if end else []))

    def trailers(self, stream: Stream, *fields: tuple[str, str]) -> None:
        """Ends the stream with these fields."""
        flags = ["END_STREAM", "END_HEADERS"]
        self.send_frames(frames.HeadersFrame(stream.number, data=self.block(fields), flags=flags))

    def reset(self, stream: Stream, error: int = CANCEL) -> None:
        self.send_frames(frames.RstStreamFrame(stream.number, error_code=error))

    def give(self, count: int, stream: Stream | None = None) -> None:
        """Enlarges the engine's window of a stream, or of the connection."""
        self.send_frames(frames.WindowUpdateFrame(stream.number if stream else 0, window_increment=count))

    # reading

    def read_frame(self) -> frames.Frame:
        """The next frame, taken into account; Closed at the end."""
        header = self._take(9)
        try:
            one, length = frames.Frame.parse_frame_header(memoryview(header))
            one.parse_body(memoryview(self._take(length)))
        except InvalidFrameError as error:
            raise WireError(f"no frame: {header!r}") from error
        self._note(one)
        return one

    def answer(self, stream: Stream) -> Stream:
        """Reads until the stream has ended or was reset."""
        while not stream.done:
            self.read_frame()
        return stream

    def ask(self, method: str = "GET", path: str = "/", *fields: tuple[str, str], body: bytes = b"") -> Stream:
        """One request and its whole response."""
        return self.answer(self.request(method, path, *fields, body=body))

    def read_to_end(self) -> None:
        """Reads until the engine closes."""
        with contextlib.suppress(Closed):
            while True:
                self.read_frame()

    def ping(self) -> None:
        """Sends a PING and waits for its answer: everything sent before was read by then."""
        before = self.pongs
        self.send_frames(frames.PingFrame(0, opaque_data=b"12345678"))
        while self.pongs == before:
            self.read_frame()

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            try:
                part = self.socket.recv(65_536)
            except ConnectionResetError:
                part = b""
            if not part:
                self.ended = True
                raise Closed(f"the engine closed; GOAWAY {self.goaways}")
            self._buffer += part
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _note(self, one: frames.Frame) -> None:
        stream = self.streams.get(one.stream_id)
        match one:
            case frames.SettingsFrame() if "ACK" not in one.flags:
                self._settle(one.settings)
                self.send_frames(frames.SettingsFrame(0, flags=["ACK"]))
            case frames.PingFrame() if "ACK" in one.flags:
                self.pongs += 1
            case frames.PingFrame():
                self.send_frames(frames.PingFrame(0, opaque_data=one.opaque_data, flags=["ACK"]))
            case frames.GoAwayFrame():
                self.goaways.append((one.last_stream_id, one.error_code))
            case frames.WindowUpdateFrame() if one.stream_id == 0:
                self.window += one.window_increment
            case frames.WindowUpdateFrame() if stream:
                stream.window += one.window_increment
            case frames.RstStreamFrame() if stream:
                stream.reset = one.error_code
            case frames.HeadersFrame() | frames.ContinuationFrame() if stream:
                self._fields(one, stream)
            case frames.DataFrame() if stream:
                stream.body += one.data
                stream.frames.append(len(one.data))
                stream.ended |= "END_STREAM" in one.flags
                if self.reads and one.flow_controlled_length:
                    self._give_back(one, stream)

    def _give_back(self, one: frames.DataFrame, stream: Stream) -> None:
        # One that the engine has closed meanwhile needs no windows.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.give(one.flow_controlled_length)
            if not stream.done:
                self.give(one.flow_controlled_length, stream)

    def _fields(self, one: frames.HeadersFrame | frames.ContinuationFrame, stream: Stream) -> None:
        self._block += one.data
        stream.ended |= "END_STREAM" in one.flags
        if "END_HEADERS" in one.flags:
            decoded = self._decoder.decode(bytes(self._block), raw=True)
            self._block.clear()
            stream.heads.append([(n.decode("latin-1"), v.decode("latin-1")) for n, v in decoded])

    def _settle(self, settings: dict[int, int]) -> None:
        self.settings |= settings
        initial = settings.get(frames.SettingsFrame.INITIAL_WINDOW_SIZE, self._initial)
        for stream in self.streams.values():
            stream.window += initial - self._initial
        self._initial = initial
