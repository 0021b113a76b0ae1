"""The control socket's frames, sans-io: bytes in, messages out.

Facts (docs/reference/engine.md): a frame is a big-endian u32 length and that many bytes of JSON, 256 MiB at most.
The engine sends events, which have `event`, and answers, which have the `id` of the call and `ok` or `error`.

Decisions: a Plan is written into its frame as the bytes it already is; nothing is read before its frame is whole;
whatever does not look like a frame ends the connection (FrameError), for there is no way to find the next one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemun.errors import EngineError

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

MOST_BYTES = 256 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class FrameError(EngineError):
    """What came over the control socket is no frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something the engine tells unasked."""

    name: str
    fields: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The call `id` was done; `fields` is what it gives back."""

    id: int
    fields: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The call `id` was refused. `id` is 0 when the engine could not read which call it was."""

    id: int
    kind: str
    message: str
    where: str


Message = Event | Done | Refusal


def call_frame(*, id: int, call: str, fields: Mapping[str, Json]) -> bytes:  # noqa: A002 - the wire's word
    """Return the frame of a call."""
    return _frame((json.dumps({"id": id, "call": call, **fields}, separators=(",", ":")).encode(),))


def apply_frame(*, id: int, plan: bytes) -> bytes:  # noqa: A002 - the wire's word
    """Return the frame of `apply`, with the Plan's JSON put in as it is."""
    return _frame((b'{"id":%d,"call":"apply","plan":' % id, plan, b"}"))


class FrameReader:
    """Puts frames together from whatever pieces arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes, return the messages they complete. Raises FrameError."""
        self._buffer += data
        messages: list[Message] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if length > MOST_BYTES:
                raise FrameError(f"a frame of {length} bytes: no more than {MOST_BYTES} are allowed")
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages.append(_message(bytes(self._buffer[start + _LENGTH.size : end])))
            start = end
        del self._buffer[:start]
        return messages

    def end(self) -> None:
        """Say that no more bytes come. Raises FrameError inside a frame."""
        if self._buffer:
            raise FrameError(f"the control socket ended inside a frame ({len(self._buffer)} bytes of it had come)")


def _frame(pieces: Sequence[bytes]) -> bytes:
    """Put a frame together, in one copy: a Plan has many megabytes."""
    length = sum(map(len, pieces))
    if length > MOST_BYTES:
        raise FrameError(f"a frame of {length} bytes: no more than {MOST_BYTES} are allowed")
    return b"".join((_LENGTH.pack(length), *pieces))


def _message(body: bytes) -> Message:
    try:
        value = json.loads(body)
    except ValueError as wrong:
        raise FrameError(f"a frame that is not JSON: {wrong}") from None
    if not isinstance(value, dict):
        raise FrameError("a frame that is not a JSON object")
    name = value.pop("event", None)
    if isinstance(name, str):
        return Event(name=name, fields=value)
    number = value.get("id")
    number = number if isinstance(number, int) else 0
    done, error = value.get("ok"), value.get("error")
    if isinstance(done, dict):
        return Done(id=number, fields=done)
    if isinstance(error, dict):
        kind, message, where = (error.get(key) for key in ("kind", "message", "where"))
        return Refusal(id=number, kind=str(kind or "internal"), message=str(message or ""), where=str(where or ""))
    raise FrameError("a frame that is neither an event nor an answer")
