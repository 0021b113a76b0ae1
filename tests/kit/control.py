"""A client of the control socket, written against docs/reference/engine.md and nothing else.

It is the tests' own, so that a mistake in the product's client and in the engine cannot cancel out.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
from types import TracebackType
from typing import Any

from tests.kit.waiting import LIMIT


class Refused(Exception):
    """The engine answered with an error; `kind` is one of the reference's."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('kind')}: {error.get('message')} ({error.get('where')})")
        self.kind: str = error["kind"]
        self.message: str = error["message"]
        self.where: str | None = error.get("where")


class Control:
    """One connection to the control socket; `hello` is what the engine said first."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        self.socket.connect(path)
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._ids = itertools.count(1)
        self.hello = self.read_frame()
        assert self.hello.get("event") == "hello", self.hello

    def __enter__(self) -> Control:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def call(self, call: str, **fields: Any) -> Any:
        """Asks and waits for this answer; events that come meanwhile are kept in `events`."""
        return self.answer(self.ask(call, **fields))

    def ask(self, call: str, **fields: Any) -> int:
        number = next(self._ids)
        self.send_frame(json.dumps({"id": number, "call": call, **fields}).encode())
        return number

    def answer(self, number: int) -> Any:
        while number not in self._answers:
            self._keep(self.read_frame())
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    def event(self, name: str) -> dict[str, Any]:
        """The first kept or coming event of this name; taken out."""
        while True:
            for at, event in enumerate(self.events):
                if event["event"] == name:
                    return self.events.pop(at)
            self._keep(self.read_frame())

    def send_frame(self, data: bytes) -> None:
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def read_frame(self) -> dict[str, Any]:
        (length,) = struct.unpack(">I", self._exactly(4))
        frame: dict[str, Any] = json.loads(self._exactly(length))
        return frame

    def _keep(self, frame: dict[str, Any]) -> None:
        if "event" in frame:
            self.events.append(frame)
        elif frame["id"] is None:
            raise Refused(frame["error"])
        else:
            self._answers[frame["id"]] = frame

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(min(count - len(data), 1 << 20))
            if not part:
                raise ConnectionError("the engine closed the control socket")
            data += part
        return bytes(data)
