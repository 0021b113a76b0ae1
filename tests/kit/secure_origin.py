"""An origin that speaks TLS: what it was asked for, and over how many connections."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.kit.authority import Issued, serving


class SecureOrigin:
    """Answers each request on each TLS connection with `ok`; knows how many connections there were and what was asked."""

    def __init__(self, issued: Issued, folder: Path, *, drops_after: int | None = None) -> None:
        self._context = serving(issued, folder)
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._drops_after = drops_after
        self.names: list[str | None] = []
        self.connections = 0
        self.closed = 0
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            self._answer(accepted)
        finally:
            self.closed += 1

    def _answer(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(accepted, server_side=True) as secure:
            self.connections += 1
            answered = 0
            data = b""
            while part := secure.recv(65536):
                data += part
                while b"\r\n\r\n" in data:
                    data = data.partition(b"\r\n\r\n")[2]
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    answered += 1
                    if answered == self._drops_after:
                        return

    def close(self) -> None:
        # An accept in another thread keeps the socket open; a shutdown ends it.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def secure_origin(issued: Issued, folder: Path, **fields: Any) -> Iterator[SecureOrigin]:
    origin = SecureOrigin(issued, folder, **fields)
    try:
        yield origin
    finally:
        origin.close()
