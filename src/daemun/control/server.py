"""uvicorn inside our event loop: an application served on a socket that we make, until cancelled.

    async with serving(application, unix_socket(path)): …

The supervisor owns the signals, so uvicorn takes none; the log is ours, so it writes none. What comes over a Unix socket
is the engine's or our own command's word, and believed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

_BACKLOG = 128


class _Server(uvicorn.Server):
    """uvicorn's server without its signals and without its ten looks a second: it sleeps until it is to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.end = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.end.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the supervisor."""
        yield


@contextlib.asynccontextmanager
async def serving(application: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the application on a bound socket, which is closed at the end."""
    server = _Server(
        uvicorn.Config(
            application,
            lifespan="off",
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            log_level="error",
            server_header=False,
            date_header=False,
            proxy_headers=True,
            forwarded_allow_ips="*",
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]), name="internal pages")
    try:
        yield
    finally:
        server.should_exit = True
        server.end.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        listener.close()


def unix_socket(path: Path) -> socket.socket:
    """Return a listening Unix socket of mode 0600, in the place of one that is left over. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    new = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        new.unlink(missing_ok=True)
        # The mode is right before the name is the one that is looked for.
        listener.bind(str(new))
        new.chmod(0o600)
        listener.listen(_BACKLOG)
        new.replace(path)
    except BaseException:
        listener.close()
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    listener.setblocking(False)
    return listener
