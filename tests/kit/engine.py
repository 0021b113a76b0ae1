"""Runs `daemun-engine` by path with a Plan, and leaves none behind.

The binary is `$DAEMUN_ENGINE`, else the newest of engine/target/{debug,fast,release}/daemun-engine: never an installed
copy, which an editable install keeps stale. Each engine dies with this process (`setpriv --pdeathsig`), carries
`DAEMUN_TEST` in its environment, and `survivors()` names those that still run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.kit.authority import Issued
from tests.kit.control import Control
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Address, Client

ROOT = Path(__file__).resolve().parents[2]
TEST_RUN = uuid.uuid4().hex
"""Marks the processes of this test run."""


def binary() -> Path:
    """The engine to test."""
    named = os.environ.get("DAEMUN_ENGINE")
    if named:
        return Path(named)
    built = [
        p
        for profile in ("debug", "fast", "release")
        if (p := ROOT / "engine/target" / profile / "daemun-engine").exists()
    ]
    if not built:
        raise FileNotFoundError("no engine: run `cargo build` in engine/, or set DAEMUN_ENGINE")
    return max(built, key=lambda p: p.stat().st_mtime)


def survivors() -> list[int]:
    """Engines started by this test run that still live."""
    mark = f"DAEMUN_TEST={TEST_RUN}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (
                mark in (entry / "environ").read_bytes().split(b"\0")
                and b"daemun-engine" in (entry / "comm").read_bytes()
            ):
                found.append(int(entry.name))
    return found


class Engine:
    """One running engine, in a directory of its own. `with Engine(plan) as engine: …`.

    `plan` is a Plan as JSON; None starts it with the control socket only. `stdout` is a path, or a descriptor.
    `certificates` and `secrets` are handed over by name, as the Plan names them.
    """

    def __init__(
        self,
        plan: dict[str, Any] | None,
        *,
        threads: int = 4,
        stdout: int | None = None,
        descriptors: int | None = None,
        prefix: list[str] | None = None,
        ready: bool = True,
        certificates: Mapping[str, Issued] | None = None,
        secrets: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="daemun-test-")
        self.path = Path(self.directory.name)
        self.control_path = str(self.path / "control.sock")
        self.ready_path = self.path / "ready.json"
        self.log: list[dict[str, Any]] = []
        self.log_lines: list[str] = []
        command = ["setpriv", "--pdeathsig", "KILL"]
        if prefix:
            command = [*prefix, *command]
        if descriptors:
            command = ["prlimit", f"--nofile={descriptors}", *command]
        command += [
            str(binary()),
            "--threads",
            str(threads),
            "--ready-file",
            str(self.ready_path),
            "--control",
            self.control_path,
            *options,
        ]
        if certificates or secrets:
            folder = self.path / "secrets"
            folder.mkdir(0o700)
            for name, issued in (certificates or {}).items():
                issued.write(folder, name)
            for name, content in (secrets or {}).items():
                (folder / name).write_text(content)
            command += ["--secrets", str(folder)]
        if plan is not None:
            (self.path / "plan.json").write_text(json.dumps(plan))
            command += ["--plan", str(self.path / "plan.json")]
        self._out = open(self.path / "stdout", "wb") if stdout is None else None  # noqa: SIM115 - the process writes it
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._out or stdout,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "DAEMUN_TEST": TEST_RUN, "RUST_BACKTRACE": "1"},
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            if ready and plan is not None:
                self.wait_ready()
            elif ready:
                until(lambda: self._alive() and self._controllable(), what="the control socket")
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        died = self.process.poll()
        self.kill()
        if kind is not None:
            print("engine log:\n" + "\n".join(self.log_lines[-50:]))  # shown by pytest beside the failure
        elif died is not None and died not in (0, -signal.SIGKILL):
            raise AssertionError(f"the engine died with {died}:\n" + "\n".join(self.log_lines[-50:]))
        panics = [line for line in self.log_lines if "panic" in line]
        if kind is None and panics:
            raise AssertionError("the engine panicked:\n" + "\n".join(panics))

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> str:
        return (self.path / "stdout").read_text()

    def wait_ready(self) -> None:
        until(lambda: self._alive() and self.ready_path.exists(), what="the ready file")

    def listeners(self) -> dict[str, str]:
        listeners: dict[str, str] = json.loads(self.ready_path.read_text())["listeners"]
        return listeners

    def address(self, listener: str = "web") -> Address:
        """Where this listener really is, as sockets take it."""
        said = self.listeners()[listener]
        if said.startswith(("unix:", "/")):
            return said.removeprefix("unix:")
        host, _, port = said.rpartition(":")
        return host.strip("[]"), int(port)

    def tcp(self, listener: str = "web") -> tuple[str, int]:
        """Host and port of a listener on TCP."""
        address = self.address(listener)
        assert not isinstance(address, str)
        return address

    def client(
        self, listener: str = "web", *, source: str | None = None, limit: float = LIMIT, receive_buffer: int = 0
    ) -> Client:
        return Client(self.address(listener), source=source, limit=limit, receive_buffer=receive_buffer)

    def tls_client(
        self,
        context: ssl.SSLContext,
        name: str | None = "example.org",
        *,
        listener: str = "web",
        session: ssl.SSLSession | None = None,
    ) -> Client:
        """A client that has done the handshake; `name` is asked for (SNI) and verified, none of both without."""
        client = self.client(listener)
        try:
            client.secure(context, name, session=session)
        except BaseException:
            client.close()
            raise
        return client

    def put(self, name: str, issued: Issued, *, generation: int) -> None:
        """Hands a certificate over on the control socket."""
        with self.control() as control:
            control.call("put_certificate", name=name, generation=generation, chain=issued.chain, key=issued.key)

    def control(self) -> Control:
        return Control(self.control_path)

    def stats(self) -> dict[str, Any]:
        with self.control() as control:
            stats: dict[str, Any] = control.call("stats")
            return stats

    def apply(self, plan: dict[str, Any]) -> dict[str, Any]:
        with self.control() as control:
            applied: dict[str, Any] = control.call("apply", plan=plan)
            return applied

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line.get("event") == event]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        return self.process.wait(LIMIT)

    def kill(self) -> None:
        """Ends it whatever it does, and removes its directory."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(LIMIT)
        if self.process.stderr:
            self.process.stderr.close()
        if self._out:
            self._out.close()
        self.directory.cleanup()

    def memory_peak(self) -> int:
        """VmHWM in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def nameless_files(self) -> int:
        """Files without a name that it has open now."""
        found = 0
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(entry)
                found += target.endswith(" (deleted)") and not target.startswith(("/dev/", "/memfd:"))
        return found

    def threads(self) -> int:
        """Threads of the process now."""
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def _controllable(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self.control_path)
            return True
        return False

    def _alive(self) -> bool:
        code = self.process.poll()
        if code is not None:
            self._reader.join(LIMIT)
            raise AssertionError(f"the engine ended with {code}:\n" + "\n".join(self.log_lines[-50:]))
        return True

    def _read_log(self) -> None:
        assert self.process.stderr
        with contextlib.suppress(ValueError):
            for line in self.process.stderr:
                text = line.decode("utf-8", "replace").rstrip("\n")
                self.log_lines.append(text)
                with contextlib.suppress(ValueError):
                    parsed = json.loads(text)
                    if isinstance(parsed, dict):
                        self.log.append(parsed)
