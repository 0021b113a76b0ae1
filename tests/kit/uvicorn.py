"""Real uvicorn processes with real FastAPI applications, ready when they say so.

The application is given as source text, so that a test carries it; it must define `app`. The socket is bound here
and handed over by descriptor (or uvicorn makes a Unix socket), hence no port is guessed.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from tests.kit.engine import TEST_RUN
from tests.kit.waiting import LIMIT, until

STARTED = "Uvicorn running on"


class Uvicorn:
    """One instance. `with Uvicorn(source) as app: …`; `app.address` is what an endpoint says."""

    def __init__(self, source: str, *arguments: str, unix: bool = False, env: dict[str, str] | None = None) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="daemun-uvicorn-")
        path = Path(self.directory.name)
        (path / "application.py").write_text(source)
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            sys.executable,
            "-m",
            "uvicorn",
            "application:app",
            "--app-dir",
            str(path),
        ]
        handed: tuple[int, ...] = ()
        listener = None
        if unix:
            self.port = 0
            self.address = f"unix:{path}/app.sock"
            command += ["--uds", f"{path}/app.sock"]
        else:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 0))
            listener.listen(512)
            listener.set_inheritable(True)
            self.port = listener.getsockname()[1]
            self.address = f"127.0.0.1:{self.port}"
            handed = (listener.fileno(),)
            command += ["--fd", str(listener.fileno())]
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=handed,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "DAEMUN_TEST": TEST_RUN, **(env or {})},
        )
        if listener:
            listener.close()
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            assert self._started.wait(LIMIT * 2), "uvicorn did not start:\n" + "\n".join(self.log)
            assert self.process.poll() is None, "uvicorn ended:\n" + "\n".join(self.log)
            if unix:
                until(lambda: os.path.exists(path / "app.sock"), what="uvicorn's socket")
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Uvicorn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is not None:
            print("uvicorn log:\n" + "\n".join(self.log[-30:]))

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(LIMIT)
        if self.process.stderr:
            self.process.stderr.close()
        self.directory.cleanup()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line.decode("utf-8", "replace").rstrip())
            if STARTED in self.log[-1]:
                self._started.set()
        self._started.set()
