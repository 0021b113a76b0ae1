"""What is asked of a Docker engine: GET, and nothing else.

    async with Client(options) as docker:
        await docker.get("/containers/json")          JSON, one after the other on one connection
        async for event in docker.follow("/events")   JSON values as they come, on a connection of its own

Facts (Docker Engine API): a path begins with the version that is meant (`/v1.44/…`); an engine refuses what is newer than
itself, and says what it has, and what is older than it still speaks. Decision: 1.44 (Docker 25) is meant, an older engine's
own is taken when it says so. Only GET can be written here at all: a socket proxy that lets through nothing else suffices.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h11

from daemun.errors import ProviderError
from daemun.providers.docker.endpoint import Stream, open_stream
from daemun.traefik.docker_options import DockerOptions

_API = "1.44"
_OLDER = re.compile(r"[Mm]aximum supported API version is (\d+\.\d+)")
# An engine that takes longer for an answer has lost it; it is asked again.
_PATIENCE = 60.0
_MOST_BYTES = 256 << 20  # a thousand containers are 3 MB
_LONGEST_EVENT = 1 << 20
_CHUNK = 1 << 16
_GOOD = range(200, 300)


class Ended(ProviderError):
    """The connection ended before the answer did."""


class Refused(ProviderError):
    """The engine, or what stands before it, answered with an error."""

    def __init__(self, target: str, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(f"it answers {status} to GET {target.partition('?')[0]}{f': {message}' if message else ''}")


class Client:
    """A Docker engine. `date` is what its clock said when it was first asked, as HTTP writes it."""

    def __init__(self, options: DockerOptions, *, beside: Path | None = None) -> None:
        self._options = options
        self._beside = beside
        self._api = _API
        self._kept: _Connection | None = None
        self._patience = options.http_client_timeout or _PATIENCE
        self.date = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drop()

    async def greet(self) -> dict[str, Any]:
        """Find out which version of the interface is spoken; return what the engine says of itself."""
        try:
            answer = await self.get("/version")
        except Refused as refused:
            older = _OLDER.search(refused.message)
            if older is None:
                raise
            self._api = older.group(1)
            answer = await self.get("/version")
        return answer if isinstance(answer, dict) else {}

    async def get(self, target: str) -> Any:
        """Return the JSON of an answer. Raises ProviderError (Refused among them)."""
        target = f"/v{self._api}{target}"
        reused = self._kept is not None
        try:
            response, body = await self._ask(target)
        except Ended:
            if not reused:
                raise
            response, body = await self._ask(target)  # the connection was closed while it was idle
        self.date = self.date or _field(response, b"date")
        return _read(target, response.status_code, body)

    async def follow(self, target: str) -> AsyncGenerator[Any, None]:
        """Yield None once the engine has begun to answer, then each JSON value of its answer, until that ends.

        Raises ProviderError, also when the answer ends: nothing follows by itself then.
        """
        target = f"/v{self._api}{target}"
        connection: _Connection | None = None
        try:
            try:
                async with asyncio.timeout(self._patience):
                    connection = await self._connect()
                    response = await connection.ask(target)
                    if response.status_code not in _GOOD:
                        _read(target, response.status_code, await connection.body())
            except TimeoutError:
                raise ProviderError(f"it gives no answer to GET {target}") from None
            yield None
            rest = b""
            while chunk := await connection.chunk():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield _parse(target, line)
                if len(rest) > _LONGEST_EVENT:
                    raise ProviderError(f"an event of more than {_LONGEST_EVENT} bytes")
            raise Ended("it ended the stream of events")
        finally:
            if connection is not None:
                await connection.close()

    async def _ask(self, target: str) -> tuple[h11.Response, bytes]:
        try:
            async with asyncio.timeout(self._patience):
                connection = self._kept or await self._connect()
                self._kept = connection
                response = await connection.ask(target)
                body = await connection.body()
        except TimeoutError:
            await self._drop()
            raise ProviderError(f"it gives no answer to GET {target}") from None
        except BaseException:
            await self._drop()
            raise
        if connection.ended:
            await self._drop()
        return response, body

    async def _connect(self) -> _Connection:
        return _Connection(await open_stream(self._options, beside=self._beside), self._fields())

    def _fields(self) -> list[tuple[str, str]]:
        fields = [("User-Agent", "daemun"), ("Accept", "application/json")]
        if self._options.username and self._options.password:
            text = f"{self._options.username}:{self._options.password}"
            fields.append(("Authorization", f"Basic {base64.b64encode(text.encode()).decode()}"))
        return fields

    async def _drop(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.close()


class _Connection:
    """HTTP/1.1 on one stream, one request after the other."""

    def __init__(self, stream: Stream, fields: list[tuple[str, str]]) -> None:
        self._stream = stream
        self._fields = [("Host", stream.host), *fields]
        self._http = h11.Connection(our_role=h11.CLIENT)

    @property
    def ended(self) -> bool:
        """Whether nothing more can be asked on it."""
        return self._http.our_state is not h11.IDLE

    async def ask(self, target: str) -> h11.Response:
        """Send a GET; return the head of the answer."""
        request = self._http.send(h11.Request(method="GET", target=target, headers=self._fields))
        end = self._http.send(h11.EndOfMessage())
        try:
            self._stream.writer.write((request or b"") + (end or b""))
            await self._stream.writer.drain()
        except OSError as error:
            raise Ended(f"the connection ended: {error.strerror or error}") from None
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise Ended("it closed the connection")

    async def body(self) -> bytes:
        """Return the whole of the answer."""
        parts: list[bytes] = []
        size = 0
        while chunk := await self.chunk():
            size += len(chunk)
            if size > _MOST_BYTES:
                raise ProviderError(f"an answer of more than {_MOST_BYTES} bytes")
            parts.append(chunk)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        return b"".join(parts)

    async def chunk(self) -> bytes:
        """Return the next bytes of the answer, none at its end."""
        event = await self._next()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    async def close(self) -> None:
        """End the connection."""
        await self._stream.close()

    async def _next(self) -> Any:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                try:
                    data = await self._stream.reader.read(_CHUNK)
                except OSError as error:
                    raise Ended(f"the connection ended: {error.strerror or error}") from None
                if not data and (why := await self._stream.why()):
                    raise Ended(f"ssh: {why}")
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise Ended(f"the connection ended, or what answers is no Docker engine: {error}") from None
        return event


def _read(target: str, status: int, body: bytes) -> Any:
    if status in _GOOD:
        return _parse(target, body)
    message = body[:500].decode(errors="replace").strip()
    with contextlib.suppress(ValueError):
        told = json.loads(body)
        if isinstance(told, dict):
            message = str(told.get("message", message))
    raise Refused(target, status, message)


def _parse(target: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ProviderError(f"its answer to GET {target.partition('?')[0]} is no JSON") from None


def _field(response: h11.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key == name), "")
