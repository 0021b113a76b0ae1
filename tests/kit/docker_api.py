"""Docker's HTTP interface over its Unix socket, as far as the kit needs it: calls, and the stream of events.

It does what tests do with containers: create, start, kill. What Daemun does is not its affair, nor does it use it.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.kit.waiting import LIMIT, until

VERSION = "/v1.41"
"""Spoken by Debian 12's engine (20.10), and by every newer one."""


class DockerError(Exception):
    """The engine refused a call: its status and its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class DockerApi:
    """Calls on one socket, a connection for each."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def call(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        limit: float = LIMIT * 2,
    ) -> Any:
        """Sends `body` (JSON, or bytes as a tar archive); the answer, parsed. DockerError from status 400 on."""
        connection = _Connection(self.path, limit)
        try:
            raw = isinstance(body, bytes)
            payload = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
            headers = {"Content-Type": "application/x-tar" if raw else "application/json"} if payload else {}
            connection.request(method, VERSION + target + _encoded(query), body=payload, headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise DockerError(response.status, content.decode("utf-8", "replace").strip())
        if response.headers.get_content_type() == "application/json" and content.count(b"\n") <= 1:
            return json.loads(content or b"null")
        return content

    def answers(self) -> bool:
        """Whether the engine is there."""
        try:
            self.call("GET", "/_ping")
        except (OSError, http.client.HTTPException, DockerError):
            return False
        return True

    def events(self) -> Events:
        """What happens from now on, as a context manager."""
        return Events(self.path)


class Events:
    """Every event of an engine, in order: `with api.events() as events: …; events.wait("die", name="web")`."""

    def __init__(self, path: Path) -> None:
        self.seen: list[dict[str, Any]] = []
        self._connection = _Connection(path, None)
        self._connection.request("GET", VERSION + "/events")
        # The engine answers when it has subscribed, so nothing that follows is missed.
        self._response = self._connection.getresponse()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.hang_up()
        self._reader.join(LIMIT)
        self._connection.close()

    def of(self, action: str, *, name: str = "") -> list[dict[str, Any]]:
        """The events of this action, of one container if `name` is given."""
        return [
            event
            for event in list(self.seen)
            if event["Action"] == action and name in ("", event["Actor"]["Attributes"].get("name"))
        ]

    def wait(self, action: str, *, name: str = "", count: int = 1) -> dict[str, Any]:
        """Waits until `count` such events have come; the last of them."""
        until(lambda: len(self.of(action, name=name)) >= count, what=f"{count} event(s) {action} of {name or 'any'}")
        return self.of(action, name=name)[count - 1]

    def _follow(self) -> None:
        try:
            for line in self._response:
                if line.strip():
                    self.seen.append(json.loads(line))
        except (OSError, ValueError, http.client.HTTPException):
            return


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, limit: float | None) -> None:
        super().__init__("docker", timeout=limit)
        self._path = path
        self._limit = limit

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self._limit)
        self.sock.connect(str(self._path))

    def hang_up(self) -> None:
        """Ends a read that waits in another thread."""
        self.sock.shutdown(socket.SHUT_RDWR)


def _encoded(query: Mapping[str, object] | None) -> str:
    if not query:
        return ""
    return "?" + urllib.parse.urlencode(
        {k: json.dumps(v) if isinstance(v, dict | bool) else str(v) for k, v in query.items()}
    )
