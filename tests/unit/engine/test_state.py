"""The state directory: one writer, the last two Plans, whole files only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemun.engine.state import AlreadyRunning, StateDir, default_state_dir
from daemun.errors import EngineError


def test_second_writer_is_refused(tmp_path: Path) -> None:
    """Who comes second is told who holds it and what to do; after unlock it may."""
    one, two = StateDir(tmp_path / "s"), StateDir(tmp_path / "s")
    one.lock()
    with pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}.*--replace.*--state-dir") as refused:
        two.lock()
    assert refused.value.pid == os.getpid()
    one.unlock()
    two.lock()
    two.unlock()


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    """The engine outlives us and must not hold our lock."""
    state = StateDir(tmp_path)
    state.lock()
    with subprocess.Popen(["sleep", "60"]) as child:
        state.unlock()
        try:
            other = StateDir(tmp_path)
            other.lock()
            other.unlock()
        finally:
            child.kill()


def test_a_pid_that_nobody_vouches_for_is_none(tmp_path: Path) -> None:
    """A number in the file is believed only of a process that has the file open."""
    (tmp_path / "lock").write_text(f"{os.getpid()}\n")
    assert StateDir(tmp_path).holder() == 0


def test_plans(tmp_path: Path) -> None:
    """The last Plan and the one before are kept, private and whole."""
    state = StateDir(tmp_path / "new" / "dir")
    state.lock()
    for plan in (b"1", b"2", b"3"):
        state.keep_plan(plan)
    assert (state.path / "plan.json").read_bytes() == b"3"
    assert (state.path / "plan.previous.json").read_bytes() == b"2"
    assert (state.path / "plan.json").stat().st_mode & 0o777 == 0o600
    assert state.path.stat().st_mode & 0o777 == 0o700
    assert sorted(entry.name for entry in state.path.iterdir()) == ["lock", "plan.json", "plan.previous.json"]
    state.unlock()


def test_too_long_for_a_socket(tmp_path: Path) -> None:
    """A path that no Unix socket can have is refused at once."""
    with pytest.raises(EngineError, match="too long"):
        StateDir(tmp_path / ("x" * 100)).lock()


def test_not_a_directory(tmp_path: Path) -> None:
    """What cannot be a directory is said with its name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot use the state directory"):
        StateDir(tmp_path / "file").lock()


@pytest.mark.parametrize(
    ("environ", "uid", "expected"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/5"}, 0, "/run/daemun"),
        ({"XDG_RUNTIME_DIR": "/run/user/5"}, 5, "/run/user/5/daemun"),
        ({"XDG_STATE_HOME": "/state"}, 5, "/state/daemun"),
        ({}, 5, str(Path.home() / ".local/state/daemun")),
    ],
)
def test_default(environ: dict[str, str], uid: int, expected: str) -> None:
    """Root has /run/daemun, others a directory of their own."""
    assert default_state_dir(environ=environ, uid=uid) == Path(expected)


def test_another_process_is_refused(tmp_path: Path) -> None:
    """The lock works between processes, not only between objects."""
    state = StateDir(tmp_path)
    state.lock()
    script = (
        f"from pathlib import Path; from daemun.engine.state import StateDir; StateDir(Path({str(tmp_path)!r})).lock()"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"pid {os.getpid()}" in done.stderr
    state.unlock()
