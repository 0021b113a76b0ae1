"""One connection to an engine's control socket: calls, their answers, and what the engine tells unasked.

    async with await connect(path) as engine:
        applied = await engine.apply(plan)

Many calls may be under way; answers find theirs by id. When the connection ends every call under way fails with
ConnectionLost and `closed` is set: connecting again is the keeper's business, not this module's.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from daemun.engine.frames import Done, Event, FrameReader, Json, Message, Refusal, apply_frame, call_frame
from daemun.errors import EngineError

# Building 10,000 routes takes half a second on the engine's side; this only ends a wait for something hung.
PATIENCE = 60.0
_CHUNK = 1 << 18

Listener = Callable[[Event], None]


class ConnectionLost(EngineError):
    """The control socket ended, or cannot be reached."""


class CallRefused(EngineError):
    """The engine said no. `kind` is one of the reference's words; `where` names the Plan's object."""

    def __init__(self, refusal: Refusal) -> None:
        where = f" ({refusal.where})" if refusal.where else ""
        super().__init__(f"{refusal.message}{where}")
        self._refusal = refusal
        self.kind = refusal.kind
        self.message = refusal.message
        self.where = refusal.where

    def at(self, where: str) -> CallRefused:
        """Return the same refusal of an object of the Plan that the caller knows better."""
        return CallRefused(replace(self._refusal, where=where))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What the engine says first."""

    engine: str
    plan_versions: tuple[int, ...]
    pid: int
    applied: int
    started_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A Plan was applied: how many so far, and where each listener really is."""

    number: int
    listeners: dict[str, str]


async def connect(path: Path, *, on_event: Listener = lambda _event: None, patience: float = PATIENCE) -> Client:
    """Connect and wait for hello. Raises ConnectionLost."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(str(path)), patience)
    except (OSError, TimeoutError) as error:
        raise ConnectionLost(f"no engine answers at {path}: {error}") from None
    client = Client(reader, writer, on_event=on_event)
    try:
        await asyncio.wait_for(client.greeted, patience)
    except TimeoutError:
        await client.close()
        raise ConnectionLost(f"{path} takes connections and says nothing") from None
    except EngineError:
        await client.close()
        raise
    return client


class Client:
    """A connection that has said hello (see `connect`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, on_event: Listener) -> None:
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Json]]] = {}
        self.greeted: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        self._task = asyncio.create_task(self._read(), name="engine control socket")

    @property
    def hello(self) -> Hello:
        """What the engine said first."""
        return self.greeted.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def apply(self, plan: bytes) -> Applied:
        """Replace what the engine does by this Plan (JSON), all or nothing. Raises CallRefused, ConnectionLost."""
        number = next(self._ids)
        done = await self._send(number, apply_frame(id=number, plan=plan))
        listeners = done.get("listeners")
        named = listeners if isinstance(listeners, dict) else {}
        return Applied(number=_int(done.get("applied")), listeners={k: str(v) for k, v in named.items()})

    async def call(self, call: str, **fields: Json) -> dict[str, Json]:
        """Make any other call of the reference. Raises CallRefused, ConnectionLost."""
        number = next(self._ids)
        return await self._send(number, call_frame(id=number, call=call, fields=fields))

    async def shutdown(self, *, grace_ms: int | None = None) -> None:
        """Ask the engine to finish what runs and end; its own grace times when none is given."""
        if grace_ms is None:
            await self.call("shutdown")
        else:
            await self.call("shutdown", grace_ms=grace_ms)

    async def close(self) -> None:
        """End the connection; the engine goes on."""
        self._writer.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _send(self, number: int, frame: bytes) -> dict[str, Json]:
        if self.closed.is_set():
            raise ConnectionLost("the connection to the engine has ended")
        answer: asyncio.Future[dict[str, Json]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(frame)
            return await asyncio.wait_for(answer, PATIENCE)
        except TimeoutError:
            raise ConnectionLost(f"the engine gave no answer within {PATIENCE:.0f} s") from None
        finally:
            self._waiting.pop(number, None)

    async def _read(self) -> None:
        frames = FrameReader()
        why: EngineError = ConnectionLost("the engine closed the control socket")
        try:
            while data := await self._reader.read(_CHUNK):
                for message in frames.feed(data):
                    self._take(message)
            frames.end()
        except EngineError as error:
            why = error
        except OSError as error:
            why = ConnectionLost(f"the control socket failed: {error}")
        finally:
            self._writer.close()
            self.closed.set()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(why)
            if not self.greeted.done():
                self.greeted.set_exception(why)
                self.greeted.exception()  # looked at: asyncio need not complain when nobody waits for the hello

    def _take(self, message: Message) -> None:
        if isinstance(message, Event):
            if message.name == "hello" and not self.greeted.done():
                self.greeted.set_result(_hello(message))
            else:
                self._on_event(message)
            return
        answer = self._waiting.get(message.id)
        if answer is None or answer.done():
            return  # nobody waits for it any more
        if isinstance(message, Done):
            answer.set_result(message.fields)
        else:
            answer.set_exception(CallRefused(message))


def _hello(event: Event) -> Hello:
    versions = event.fields.get("plan_versions")
    return Hello(
        engine=str(event.fields.get("engine") or ""),
        plan_versions=tuple(_int(v) for v in versions) if isinstance(versions, list) else (),
        pid=_int(event.fields.get("pid")),
        applied=_int(event.fields.get("applied")),
        started_ms=_int(event.fields.get("started_ms")),
    )


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0
