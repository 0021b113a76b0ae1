"""A socket, Unix or TCP, before a Unix socket: what a client sends is written down.

    with Recorder(docker.socket) as recorder:
        … endpoint = recorder.endpoint …
        recorder.requests      [("GET", "/v1.41/containers/json?all=true"), …]

A request whose head contains what it `refuses` is answered with 403, as a socket proxy does. All else is passed on: what a head is not, such as a body, is found among `heads`. A cut connection is one that an
engine or a proxy ended.
"""

from __future__ import annotations

import contextlib
import select
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.kit.waiting import LIMIT


class Recorder:
    """Passes bytes both ways, on a thread for each connection, and remembers those of clients."""

    def __init__(self, behind: Path, *, tcp: bool = False, refuses: bytes = b"") -> None:
        self._behind = behind
        self._refuses = refuses
        self._directory = tempfile.TemporaryDirectory(prefix="daemun-recorder-")
        self.path = Path(self._directory.name) / "docker.sock"
        self._sent: list[bytearray] = []
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        if tcp:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self.path))
            self._listener.listen()
            self.endpoint = f"unix://{self.path}"
        self._begin(self._accept)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(LIMIT)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(LIMIT)
        self._directory.cleanup()

    @property
    def heads(self) -> list[bytes]:
        """Every head that was sent; whatever is no head stands there too."""
        return [head for sent in self._sent for head in bytes(sent).split(b"\r\n\r\n") if head]

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and target of each."""
        lines = [head.split(b"\r\n", 1)[0].decode("latin-1").split(" ") for head in self.heads]
        return [(line[0], line[1] if len(line) > 1 else "") for line in lines]

    def cut(self) -> None:
        """End all connections."""
        while self._clients:
            with contextlib.suppress(OSError):
                self._clients.pop().shutdown(socket.SHUT_RDWR)

    def _begin(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            self._clients.append(client)
            self._begin(self._pass_on, client)

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(str(self._behind))
            sent = bytearray()
            self._sent.append(sent)
            others = {client: server, server: client}
            while True:
                for source in select.select(list(others), [], [])[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if source is client:
                        sent += data
                        if self._refuses and self._refuses in data:
                            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                            return
                    others[source].sendall(data)
