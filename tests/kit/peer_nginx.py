"""Debian's nginx running beside the engine, to see what nginx does: its own process, on a Unix socket.

It serves what `server` says and logs nothing; without the program a test skips (with CI=1 it fails).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import pytest

from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Client

_CONF = """
daemon off;
master_process off;
pid {here}/pid;
error_log {here}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    server_tokens off;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    server {{
        listen unix:{here}/socket;
{server}
    }}
}}
"""


def nginx_program() -> str:
    """Its path; the test skips without."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        if os.environ.get("CI") == "1":
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    return program


class Nginx:
    """One running nginx. `with Nginx(server) as nginx: … nginx.client()`."""

    def __init__(self, server: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="daemun-nginx-")
        here = Path(self._directory.name)
        self.address = str(here / "socket")
        (here / "nginx.conf").write_text(_CONF.format(here=here, server=server))
        command = [nginx_program(), "-p", str(here), "-c", str(here / "nginx.conf"), "-e", str(here / "error.log")]
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command])
        try:
            until(self._listens, what="nginx to listen")
        except BaseException:
            self.close()
            raise

    def _listens(self) -> bool:
        assert self.process.poll() is None, "nginx has ended"
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.address) == 0

    def client(self) -> Client:
        """A connection to it."""
        return Client(self.address)

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(LIMIT)
        self._directory.cleanup()

    def __enter__(self) -> Nginx:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
