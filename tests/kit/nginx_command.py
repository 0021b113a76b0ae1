"""Runs `daemun nginx` as scripts and units do: by a program called `nginx`, a prefix, a pid file and signals.

    with Prefix("http { server { listen 127.0.0.1:PORT; … } }") as prefix:
        assert prefix.nginx("-t").returncode == 0
        pid = prefix.start()            # returns when `nginx` has: it is a daemon now

The same class runs Debian's nginx (`program`), to see what nginx itself does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from tests.kit.daemun import gone
from tests.kit.engine import ROOT, TEST_RUN, binary
from tests.kit.ports import free_ports
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Client, Response

CONFIG = "nginx.conf"
_MAIN = "pid nginx.pid;\nerror_log error.log notice;\nevents {}\n"


class Prefix:
    """A directory with nginx.conf, and the processes that run in it. `{port}`, `{port2}` in texts are free ports."""

    def __init__(self, text: str = "", *, main: str = _MAIN) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="daemun-nginx-")
        self.path = Path(self._directory.name)
        self.port, self.port2 = free_ports(2)
        self.program = self.path / "nginx"
        self.program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT / 'src')!r})\n"
            "from daemun.cli.main import main\nmain()\n"
        )
        self.program.chmod(0o755)
        self.write(text, main=main)
        self._foreground: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Prefix:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print(f"error.log:\n{self.log}")
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: gone(pid), what=f"the end of {pid}")  # type: ignore[misc]
        for process in self._foreground:
            process.wait()
        self._directory.cleanup()

    def write(self, text: str, *, main: str = _MAIN) -> None:
        """Write nginx.conf, by renaming it into place."""
        new = self.path / "nginx.conf.new"
        new.write_text((main + text).replace("{port}", str(self.port)).replace("{port2}", str(self.port2)))
        new.replace(self.path / CONFIG)

    def nginx(self, *flags: str, prefix: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        with (self.path / "said").open("w+") as said:  # a pipe would be held open by a daemon
            done = subprocess.run(
                [*self._command(prefix=prefix), *flags],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if {"-T", "-V"} & set(flags) else said,
                stderr=said,
                env=self.environ,
                timeout=LIMIT,
                check=False,
                text=True,
            )
            said.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, done.stdout or "", said.read())

    def start(self, *flags: str) -> int:
        """Start it as a daemon; return the pid that stands in the pid file once the command has ended."""
        done = self.nginx(*flags)
        assert done.returncode == 0, done.stderr
        return self.pid

    def foreground(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start it with `daemon off`, and wait for the pid file."""
        with (self.path / "said").open("wb") as said:
            process = subprocess.Popen(
                [*self._command(prefix=True), *flags],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=self.environ,
            )
        self._foreground.append(process)

        def there() -> bool:
            assert process.poll() is None, (self.path / "said").read_text()
            return (self.path / "nginx.pid").exists() and self.pid == process.pid

        until(there, what="the pid file")
        return process

    @property
    def environ(self) -> dict[str, str]:
        """The environment of everything that runs here."""
        return {
            **os.environ,
            "DAEMUN_ENGINE": str(binary()),
            "DAEMUN_TEST": TEST_RUN,
            "DAEMUN_PREFIX": str(self.path),
            "XDG_RUNTIME_DIR": str(self.path),
            "XDG_STATE_HOME": str(self.path),
        }

    @property
    def pid(self) -> int:
        """What stands in the pid file; 0 while it is being written."""
        return int((self.path / "nginx.pid").read_text() or 0)

    @property
    def log(self) -> str:
        """The error log."""
        path = self.path / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logged(self, text: str) -> None:
        """Wait until the error log has this text."""
        until(lambda: text in self.log, what=f"{text!r} in the error log")

    def client(self) -> Client:
        """A client of the first port."""
        return Client(("127.0.0.1", self.port))

    def get(self, path: str = "/") -> Response:
        """One GET over a connection of its own."""
        with self.client() as client:
            return client.request(target=path)

    def processes(self) -> list[int]:
        """Every process that was started here and lives."""
        mark = f"DAEMUN_PREFIX={self.path}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def _command(self, *, prefix: bool) -> list[str]:
        where = ["-p", str(self.path), "-c", CONFIG, "-e", "error.log"] if prefix else []
        return [str(self.program), *where]


def listens(port: int) -> bool:
    """Whether somebody takes connections at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
