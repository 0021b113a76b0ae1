"""Runs the whole of Daemun, control plane and engine, as a user does: by its command line, with files.

It says how far it is through the notification socket (daemun.run.notify), so that a test waits for facts and never for
time: `applied()` after a change that must be taken, `refused()` after one that must not.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.kit.control import Control
from tests.kit.engine import ROOT, TEST_RUN, binary
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Client, Response


def everything_to(url: str) -> str:
    """A dynamic file: one router, which takes every request to this server."""
    return (
        '[http.routers.a]\nrule = "PathPrefix(`/`)"\nservice = "a"\n'
        f'[http.services.a.loadBalancer]\nservers = [{{url = "{url}"}}]\n'
    )


class Instance:
    """A directory with configuration files and a state directory, and the control planes that ran in it."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="daemun-test-")
        self.path = Path(self._directory.name)
        self.state = self.path / "state"
        self.planes: list[ControlPlane] = []

    def __enter__(self) -> Instance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        engine = self.engine_pid()
        for plane in self.planes:
            plane.close()
            if kind is not None:
                print(f"log of daemun, pid {plane.pid}:\n{plane.log}")
        # The last engine may have been started after we looked, or be left over on purpose.
        for pid in {engine, self.engine_pid()} - {0}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: gone(pid), what=f"the end of the engine {pid}")  # type: ignore[misc]
        self._directory.cleanup()

    def write(self, name: str, text: str) -> Path:
        """Put a file there by renaming it into place."""
        path = self.path / name
        new = self.path / f".{name}.new"
        new.write_text(text)
        new.replace(path)
        return path

    def run(self, *arguments: str, config: str = "daemun.toml", ready: bool = True) -> ControlPlane:
        """Start `daemun run` here, and wait until it is ready."""
        return self.start("run", "--config", str(self.path / config), *arguments, ready=ready)

    def start(self, *arguments: str, ready: bool = True) -> ControlPlane:
        """Start `daemun` with this state directory."""
        plane = ControlPlane([*arguments, "--state-dir", str(self.state)], directory=self.path)
        self.planes.append(plane)
        if ready:
            plane.ready()
        return plane

    def control(self) -> Control:
        """A connection of our own to the engine."""
        return Control(str(self.state / "control.sock"))

    def engine_pid(self) -> int:
        """The engine that answers; 0 when none does."""
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(self.state / "control.sock")):
                return 0
        with self.control() as control:
            return int(control.hello["pid"])

    def address(self, listener: str = "web") -> tuple[str, int]:
        """Where this listener is, as 127.0.0.1 when it is everywhere."""
        with self.control() as control:
            said: str = control.call("stats")["listeners"][listener]["address"]
        return "127.0.0.1", int(said.rpartition(":")[2])

    def get(self, path: str, listener: str = "web") -> Response:
        """One GET over a connection of its own."""
        with Client(self.address(listener)) as client:
            return client.request(target=path)

    def secure(self, context: ssl.SSLContext, name: str | None, listener: str = "web") -> Client:
        """A client that has done the handshake with this listener; `name` is asked for (SNI) and verified."""
        client = Client(self.address(listener))
        try:
            client.secure(context, name)
        except BaseException:
            client.close()
            raise
        return client


class ControlPlane:
    """One running `daemun` command."""

    def __init__(self, arguments: Sequence[str], *, directory: Path) -> None:
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        number = len(list(directory.glob("notify-*")))
        self._notify.bind(str(directory / f"notify-{number}"))
        self._log_path = directory / f"log-{number}"
        environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
            "DAEMUN_ENGINE": str(binary()),
            "DAEMUN_TEST": TEST_RUN,
            "DAEMUN_DATA_DIR": str(directory / "data"),
            "NOTIFY_SOCKET": str(directory / f"notify-{number}"),
            "NO_COLOR": "1",
        }
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "daemun", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                cwd=directory,
            )

    @property
    def pid(self) -> int:
        """The control plane's process."""
        return self.process.pid

    @property
    def log(self) -> str:
        """All it and its engine have written."""
        return self._log_path.read_text(errors="replace")

    def ready(self) -> None:
        """Wait until the first Plan runs."""
        self.told("READY")

    def applied(self) -> int:
        """Wait until a change is applied; return how many Plans the engine has taken."""
        return int(self.told("X_DAEMUN_APPLIED"))

    def refused(self) -> None:
        """Wait until a change is refused."""
        self.told("X_DAEMUN_REFUSED")

    def told(self, name: str) -> str:
        """Wait for the next message with this name; what comes before it is forgotten."""
        end = time.monotonic() + LIMIT * 2
        while time.monotonic() < end:
            self._notify.settimeout(0.5)
            try:
                lines = self._notify.recv(4096).decode().splitlines()
            except TimeoutError:
                assert self.process.poll() is None, f"daemun ended with {self.process.returncode}:\n{self.log}"
                continue
            for line in lines:
                key, _, value = line.partition("=")
                if key == name:
                    return value
        raise AssertionError(f"daemun never said {name}:\n{self.log}")

    def nothing_told(self) -> bool:
        """Whether nothing has been said since the last look."""
        self._notify.setblocking(False)
        try:
            self._notify.recv(4096)
        except BlockingIOError:
            return True
        return False

    def forget(self) -> None:
        """Forget what was said so far."""
        while not self.nothing_told():
            pass

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to stop; return its status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def wait(self) -> int:
        """Wait for its end."""
        return self.process.wait(LIMIT)

    def resident(self) -> int:
        """VmRSS in bytes."""
        return int(re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())[0]) * 1024

    def close(self) -> None:
        """End it whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._notify.close()


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
