"""The codec of the control socket: whole frames, every split of them, and what is no frame."""

from __future__ import annotations

import json
import struct

import pytest

from daemun.engine.frames import (
    MOST_BYTES,
    Done,
    Event,
    FrameError,
    FrameReader,
    Message,
    Refusal,
    apply_frame,
    call_frame,
)


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


STREAM = (
    frame(b'{"event":"hello","engine":"0.1.0","plan_versions":[1],"pid":7,"applied":0,"started_ms":5}')
    + frame(b'{"id":2,"error":{"kind":"bad_reference","message":"no such service","where":"routes.api@file"}}')
    + frame(b'{"id":1,"ok":{"applied":4,"listeners":{"web":"127.0.0.1:43121"}}}')
    + frame(b'{"event":"endpoint_down","service":"\xea\xb0\x80","address":"127.0.0.1:9","cause":"refused"}')
    + frame(b'{"id":3,"ok":{}}')
)
MESSAGES: list[Message] = [
    Event(
        name="hello",
        fields={"engine": "0.1.0", "plan_versions": [1], "pid": 7, "applied": 0, "started_ms": 5},
    ),
    Refusal(id=2, kind="bad_reference", message="no such service", where="routes.api@file"),
    Done(id=1, fields={"applied": 4, "listeners": {"web": "127.0.0.1:43121"}}),
    Event(name="endpoint_down", fields={"service": "가", "address": "127.0.0.1:9", "cause": "refused"}),
    Done(id=3, fields={}),
]


def test_whole() -> None:
    """One piece gives every message in order."""
    reader = FrameReader()
    assert reader.feed(STREAM) == MESSAGES
    reader.end()


def test_byte_by_byte() -> None:
    """Bytes that come one at a time give the same."""
    reader = FrameReader()
    found: list[Message] = []
    for byte in STREAM:
        found += reader.feed(bytes([byte]))
    assert found == MESSAGES
    reader.end()


def test_every_split() -> None:
    """Two pieces, cut anywhere, give the same."""
    for cut in range(len(STREAM) + 1):
        reader = FrameReader()
        assert reader.feed(STREAM[:cut]) + reader.feed(STREAM[cut:]) == MESSAGES, cut


def test_end_inside_a_frame() -> None:
    """A stream that ends inside a frame says so, wherever that is; between two it does not."""
    first = len(frame(STREAM[4 : 4 + struct.unpack(">I", STREAM[:4])[0]]))
    for cut in range(1, first):
        reader = FrameReader()
        reader.feed(STREAM[:cut])
        with pytest.raises(FrameError, match="inside a frame"):
            reader.end()
    reader = FrameReader()
    reader.feed(STREAM[:first])
    reader.end()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (struct.pack(">I", MOST_BYTES + 1), "no more than"),
        (b"HTTP/1.1 400 Bad Request\r\n", "no more than"),
        (frame(b"{"), "not JSON"),
        (frame(b"\xff"), "not JSON"),
        (frame(b""), "not JSON"),
        (frame(b"[]"), "not a JSON object"),
        (frame(b'{"id":1}'), "neither an event nor an answer"),
        (frame(b'{"id":1,"ok":3}'), "neither an event nor an answer"),
    ],
)
def test_no_frame(data: bytes, says: str) -> None:
    """What is no frame is refused, and never waits for more bytes to say so."""
    with pytest.raises(FrameError, match=says):
        FrameReader().feed(data)


def test_refusal_without_a_call() -> None:
    """An engine that could not read the call answers without its id."""
    [message] = FrameReader().feed(frame(b'{"id":null,"error":{"kind":"bad_frame","message":"no"}}'))
    assert message == Refusal(id=0, kind="bad_frame", message="no", where="")


def test_call() -> None:
    """A call is a frame with its id, its name and its fields."""
    written = call_frame(id=7, call="explain", fields={"host": "가", "headers": [["a", "b"]]})
    assert struct.unpack(">I", written[:4])[0] == len(written) - 4
    assert json.loads(written[4:]) == {"id": 7, "call": "explain", "host": "가", "headers": [["a", "b"]]}


def test_apply_takes_the_plan_as_it_is() -> None:
    """The Plan's bytes stand in the frame unchanged."""
    plan = b'{"version":1,"n":1.50,"k":"\xea\xb0\x80 %s %d"}'
    written = apply_frame(id=12, plan=plan)
    assert plan in written
    assert json.loads(written[4:]) == {"id": 12, "call": "apply", "plan": json.loads(plan)}
