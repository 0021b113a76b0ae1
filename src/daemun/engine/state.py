"""The state directory: what one instance of Daemun keeps beside its configuration.

    lock           held (flock) by the one control plane that may write here; holds its pid
    control.sock   the engine's control socket
    pages.sock     where our own application listens (answers to challenges)
    commands.sock  where the command line asks the running instance
    containers.*.json  the containers of a Docker engine as they were known last
    certificates.json  what `daemun certs` shows
    plan.json      the last Plan the engine took; plan.previous.json the one before

The directory names the instance: two instances need two of them. It is 0700, its files 0600.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from daemun.errors import EngineError
from daemun.whole_file import replace_file

# sockaddr_un holds 108 bytes with the closing zero.
_LONGEST_SOCKET = 107


class AlreadyRunning(EngineError):
    """Another control plane holds the state directory; `pid` is 0 when it did not say."""

    def __init__(self, *, path: Path, pid: int) -> None:
        self.pid = pid
        who = f"another daemun (pid {pid})" if pid else "another daemun"
        super().__init__(
            f"{who} runs with the state directory {path}: "
            "take over from it with --replace, or name another --state-dir for a second instance"
        )


def default_state_dir(*, environ: Mapping[str, str] = os.environ, uid: int | None = None) -> Path:
    """Return /run/daemun for root, else a directory of the user's."""
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/run/daemun")
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "daemun"
    home = environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "daemun"


class StateDir:
    """A state directory. Nothing is written before `lock`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    @property
    def control_socket(self) -> Path:
        """Where the engine listens for us."""
        return self.path / "control.sock"

    @property
    def pages_socket(self) -> Path:
        """Where our own application listens for the engine."""
        return self.path / "pages.sock"

    @property
    def commands_socket(self) -> Path:
        """Where the command line asks the running instance (daemun.control.commands)."""
        return self.path / "commands.sock"

    def lock(self) -> None:
        """Become the one writer. Raises AlreadyRunning, or EngineError when the directory cannot be used."""
        if len(os.fsencode(self.control_socket)) > _LONGEST_SOCKET:
            raise EngineError(f"the path {self.path} is too long for a Unix socket: name a shorter --state-dir")
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineError(f"cannot use the state directory {self.path}: {error.strerror or error}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(path=self.path, pid=self.holder()) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor

    def holder(self) -> int:
        """Return the pid of the process that holds the lock, 0 when it cannot be known for sure."""
        lock = self.path / "lock"
        with contextlib.suppress(OSError, ValueError):
            pid = int(lock.read_text())
            if any(_same(entry, lock) for entry in Path(f"/proc/{pid}/fd").iterdir()):
                return pid
        return 0

    def unlock(self) -> None:
        """Let another control plane write here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kept_plan(self) -> bytes:
        """Return the Plan that was kept last, nothing when there is none."""
        with contextlib.suppress(OSError):
            return (self.path / "plan.json").read_bytes()
        return b""

    def keep_plan(self, plan: bytes, *, moved: bool = False) -> None:
        """Keep the Plan that was just applied; the one kept before becomes the previous one, unless only endpoints moved."""
        current = self.path / "plan.json"
        if not moved:
            with contextlib.suppress(FileNotFoundError):
                current.replace(self.path / "plan.previous.json")
        replace_file(current, plan)

    def clear_socket(self) -> None:
        """Remove the socket that a dead engine left."""
        self.control_socket.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
