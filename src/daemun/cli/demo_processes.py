"""The processes of `daemun demo`: started, awaited, and ended in every case.

Each is in a process group of its own, so that Ctrl-C reaches only us and we end them in order: gate and instances are
asked together (the instances close their streams, the gate drains), and killed when they do not go.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from daemun.certificates.local import LocalAuthority, default_data_dir
from daemun.engine.client import connect
from daemun.engine.locate import CHECKOUT
from daemun.engine.state import StateDir
from daemun.errors import EngineError
from daemun.run.options import Options

_STARTS = 60.0  # seconds until everything must run; importing FastAPI takes a while on a small machine
_STOPS = 8.0  # seconds until the first asking must have worked
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def application() -> Path:
    """Return the directory of the demo's application: the checkout's, else where the wheel puts it."""
    for root in (CHECKOUT, Path(sys.prefix) / "share" / "daemun"):
        if (root / "examples" / "demo" / "app.py").is_file():
            return root / "examples" / "demo"
    raise EngineError("the demo's application (examples/demo/app.py) is not installed")


class Demo:
    """Instances and a gate. `with Demo(…) as running:` waits until all of it answers."""

    def __init__(self, *, port: int, tls_port: int, fixed: bool, instances: int) -> None:
        self._port = port
        self._tls_port = tls_port
        self._fixed = fixed
        self._count = instances
        self._directory = Path(tempfile.mkdtemp(prefix="daemun-demo-"))
        self._asked_to_stop = threading.Event()
        self._handlers: dict[signal.Signals, object] = {}
        self.apps: list[subprocess.Popen[bytes]] = []
        self.gate: subprocess.Popen[bytes] | None = None
        self.addresses: list[str] = []
        self.clean = True
        self.is_up = False

    @property
    def url(self) -> str:
        """Where the gate is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def secure_url(self) -> str:
        """Where the gate speaks TLS."""
        return f"https://localhost:{self._tls_port}"

    @property
    def root(self) -> Path:
        """The root that has signed for it."""
        return LocalAuthority(default_data_dir()).root_path

    @property
    def state_dir(self) -> Path:
        """The gate's state directory."""
        return self._directory

    def describe(self) -> str:
        """Name the instances' processes and ports."""
        ports = [address.rpartition(":")[2] for address in self.addresses]
        return ", ".join(f"process {app.pid} on port {port}" for app, port in zip(self.apps, ports, strict=True))

    def __enter__(self) -> Self:
        for number in _STOP_SIGNALS:
            self._handlers[number] = signal.signal(number, self._stop_asked)
        try:
            self._start_apps()
            self._start_gate()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def wait(self) -> None:
        """Wait until somebody asks us to stop, or the gate ends."""
        while not self._asked_to_stop.wait(0.2):
            if self.gate is not None and self.gate.poll() is not None:
                self.clean = False
                raise EngineError(f"the gate ended with {self.gate.returncode}")

    def _stop_asked(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop.set()

    def _start_apps(self) -> None:
        directory = application()
        missing = [name for name in ("fastapi", "uvicorn", "websockets") if not _installed(name)]
        if missing:
            raise EngineError(f"the demo needs {', '.join(missing)}: pip install 'daemun[demo]'")
        for number in range(1, self._count + 1):
            with socket.socket() as listening:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind(("127.0.0.1", 0))
                # Requests may come from now on: they wait here until the application has started.
                listening.listen(512)
                self.addresses.append(f"http://127.0.0.1:{listening.getsockname()[1]}")
                command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(directory)]
                command += ["--fd", str(listening.fileno()), "--log-level", "warning", "--proxy-headers"]
                command += ["--timeout-graceful-shutdown", "1"]
                self.apps.append(
                    subprocess.Popen(
                        _with_us(command),
                        stdin=subprocess.DEVNULL,
                        pass_fds=(listening.fileno(),),
                        env={**os.environ, "DEMO_INSTANCE": str(number)},
                        process_group=0,
                    )
                )

    def _start_gate(self) -> None:
        # 0 lets the kernel choose: no other program can take that port in between.
        ports = [self._port] if self._fixed else [self._port, 0] if _is_free(self._port) else [0]
        tls_port = self._tls_port if _is_free(self._tls_port) else 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(self._directory / "notify"))
            told.settimeout(0.2)
            for port in ports:
                self.gate = self._run_gate(port, tls_port)
                if self._is_ready(self.gate, told):
                    self.is_up = True
                    listening = asyncio.run(_ports_of_gate(self._directory))
                    self._port, self._tls_port = listening["web"], listening["websecure"]
                    return
                if self._asked_to_stop.is_set():
                    return
                tls_port = 0
        raise EngineError("the gate did not start")

    def _run_gate(self, port: int, tls_port: int) -> subprocess.Popen[bytes]:
        options = Options(
            listen=(f"127.0.0.1:{port}",),
            listen_tls=(f"127.0.0.1:{tls_port}",),
            to=tuple(self.addresses),
            log_level="warn",
            state_dir=str(self._directory),
            engine_log=str(self._directory / "engine.log"),
        )
        environ = {**os.environ, "NOTIFY_SOCKET": str(self._directory / "notify")}
        command = _with_us(options.command())
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environ, process_group=0)

    def _is_ready(self, gate: subprocess.Popen[bytes], told: socket.socket) -> bool:
        """Wait until the gate is ready; False when it ends, or we are to."""
        end = time.monotonic() + _STARTS
        while b"READY=1" not in _received(told):
            if gate.poll() is not None or self._asked_to_stop.is_set():
                return False
            if time.monotonic() > end:
                raise EngineError(f"the gate was not ready within {_STARTS:.0f} s")
        return True

    def _end(self) -> None:
        processes = [process for process in (self.gate, *self.apps) if process is not None]
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            alive = [process for process in processes if process.poll() is None]
            for process in alive:
                process.send_signal(number)
            end = time.monotonic() + _STOPS
            for process in alive:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(end - time.monotonic(), 0.01))
        if self.is_up and self.gate is not None and self.gate.poll() != 0:
            self.clean = False
        shutil.rmtree(self._directory, ignore_errors=True)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


def _with_us(command: list[str]) -> list[str]:
    """Ask the kernel to end a command when we are killed and cannot; where setpriv(1) is missing it stays."""
    setpriv = shutil.which("setpriv")
    return command if setpriv is None else [setpriv, "--pdeathsig", "TERM", *command]


def _received(told: socket.socket) -> bytes:
    try:
        return told.recv(4096)
    except TimeoutError:
        return b""


def _installed(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


def _is_free(port: int) -> bool:
    with socket.socket() as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def _ports_of_gate(state_dir: Path) -> dict[str, int]:
    """Return the port of each listener."""
    async with await connect(StateDir(state_dir).control_socket) as engine:
        listeners = (await engine.call("stats")).get("listeners")
    return {
        name: int(str(said.get("address")).rpartition(":")[2])
        for name, said in (listeners.items() if isinstance(listeners, dict) else ())
        if isinstance(said, dict)
    }
