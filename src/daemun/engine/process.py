"""Starts an engine process, and watches one that another control plane started.

The engine must outlive us (DESIGN.md, law 5): it gets a session of its own, so that no Ctrl-C reaches it; our own
standard output and error as they are, never a pipe to Python; no parent-death signal. It is watched by a pidfd,
which works for a child and for an adopted engine alike and cannot mean another process that got the same number.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from daemun.engine.ownership import make_directory
from daemun.engine_terms import Account
from daemun.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProgram:
    """How an engine is started.

    `account` is whom it becomes, `temp_dir` where it keeps temporary files (its own choice when empty).
    `log` is a descriptor for its standard error; ours when None. `level` is the least its own events must have to be
    written: `info`, `warning` or `error`. They go to standard error as JSON, or as lines of text to `log_file` (`-`: standard error).
    """

    binary: Path
    threads: int | None
    log: int | None
    level: str = "info"
    log_file: str = ""
    account: Account | None = None
    temp_dir: str = ""


def start(program: EngineProgram, *, control: Path) -> int:
    """Start an engine that binds `control`; return its pid.

    Raises EngineError when it cannot be started.
    """
    command = [str(program.binary), "--control", str(control), "--log-level", program.level]
    if program.threads is not None:
        command += ["--threads", str(program.threads)]
    if program.log_file:
        command += ["--log-file", program.log_file]
    if program.account is not None:
        groups = ",".join(str(group) for group in program.account.groups)
        command += ["--user", f"{program.account.uid}:{groups}"]
    if program.temp_dir:
        command += ["--temp-dir", program.temp_dir]
        try:
            make_directory(program.temp_dir, program.account)
        except OSError as error:
            raise EngineError(f"cannot make {program.temp_dir} for temporary files: {error.strerror}") from None
    # READY is ours to say, not the engine's.
    environ = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=program.log, start_new_session=True, env=environ
        )
    except OSError as error:
        raise EngineError(f"cannot start {program.binary}: {error.strerror or error}") from None
    child.returncode = 0  # Watched does the waiting; Popen must not complain about a child it forgot
    return child.pid


def listening_pid(socket_path: Path) -> int:
    """Return the process that listens at a Unix socket, 0 when none does (unix(7), SO_PEERCRED)."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        try:
            asking.connect(str(socket_path))
        except OSError:
            return 0
        pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)


class Watched:
    """A living process, child or not. `ended` is set when it is gone."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = asyncio.Event()
        self.status: int | None = None
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None
            self._reap()
            self.ended.set()
            return
        asyncio.get_running_loop().add_reader(self._descriptor, self._gone)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it is gone."""
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    async def wait(self, limit: float) -> bool:
        """Wait until it is gone, `limit` seconds at most; tell whether it is."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), limit)
        return self.ended.is_set()

    def forget(self) -> None:
        """Watch no longer; the process goes on."""
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def how(self) -> str:
        """Say how it ended, as far as that can be known (only a parent is told)."""
        if self.status is None:
            return "ended"
        code = os.waitstatus_to_exitcode(self.status)
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with {code}"

    def _gone(self) -> None:
        self.forget()
        self._reap()
        self.ended.set()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
