"""Where an instance of `daemun nginx` keeps its lock and the engine's socket: one directory for each pid file.

Nobody who starts nginx names such a directory, and whoever does so may have no home to write to (`www-data` in a
container): then it is below /tmp, made 0700 and refused when it is somebody else's.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from daemun.errors import EngineError


def state_path(pid_file: str, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of the instance with this pid file, whose parent is made. Raises EngineError."""
    name = "nginx-" + hashlib.sha256(os.path.realpath(pid_file).encode()).hexdigest()[:16]
    for parent in _parents(environ, os.geteuid()):
        if _made(parent):
            return parent / name
    raise EngineError("there is no directory for the engine's socket: set XDG_RUNTIME_DIR to one of this user's")


def _parents(environ: Mapping[str, str], uid: int) -> Iterator[Path]:
    if uid == 0:
        yield Path("/run/daemun")
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "daemun"
    if environ.get("XDG_STATE_HOME"):
        yield Path(environ["XDG_STATE_HOME"]) / "daemun"
    elif environ.get("HOME"):
        yield Path(environ["HOME"]) / ".local" / "state" / "daemun"
    yield Path(f"/tmp/daemun-{uid}")  # noqa: S108 - its owner and mode are looked at


def _made(path: Path) -> bool:
    """Make a directory that is ours alone; tell whether it is."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError:
        return False
    private = not found.st_mode & 0o022
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and private and os.access(path, os.W_OK)
