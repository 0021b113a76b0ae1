"""Files that a crash does not damage: replaced at once, private, one writer, one worker."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from daemun.acme import durable
from tests.kit.engine import ROOT


def test_written_at_once(tmp_path: Path) -> None:
    """A reader with the file open goes on reading the old content; nothing else is left in the directory."""
    path = tmp_path / "acme.json"
    durable.write(path, b"old")
    with path.open("rb") as reader:
        durable.write(path, b"the new content")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"the new content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever step fails, the file is as it was and nothing lies around."""
    path = tmp_path / "acme.json"
    durable.write(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step in ("fsync", "fchmod"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, full)
            with pytest.raises(OSError, match="No space"):
                durable.write(path, b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a symbolic link names is written, and the lock lies beside that file."""
    (tmp_path / "disk").mkdir()
    real = tmp_path / "disk" / "acme.json"
    durable.write(real, b"old")
    link = tmp_path / "acme.json"
    link.symlink_to(real)
    with durable.locked(link):
        durable.write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert (tmp_path / "disk" / "acme.json.lock").exists()


def test_a_mount_point_is_written_in_place(tmp_path: Path) -> None:
    """A file that cannot be replaced, since it is a mount point as in a container, is written all the same."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    real, path = tmp_path / "outside.json", tmp_path / "acme.json"
    for one in (real, path):
        durable.write(one, b"a content that is longer than the new one")
    script = f"""
from pathlib import Path
from daemun.acme import durable
durable.write(Path({str(path)!r}), b"new")
print(sorted(p.name for p in Path({str(tmp_path)!r}).iterdir()))
"""
    command = f'mount --bind "{real}" "{path}" && exec "{sys.executable}" -c "$SCRIPT"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command],
        env={**os.environ, "SCRIPT": script, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert real.read_bytes() == b"new"
    assert done.stdout.strip() == "['acme.json', 'outside.json']"


def test_one_writer(tmp_path: Path) -> None:
    """Who holds the lock is alone, even in the same process."""
    path = tmp_path / "acme.json"
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with durable.locked(path):
            order.append("first in")
            inside.set()
            leave.wait(30)
            order.append("first out")

    def second() -> None:
        with durable.locked(path):
            order.append("second in")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(30)
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join(30)
    assert order == ["first in", "first out", "second in"]


def test_one_worker(tmp_path: Path) -> None:
    """A claim is one process's or thread's; another thing can be claimed beside it; it is free once it is let go."""
    path = tmp_path / "acme.json"
    with durable.claimed(path, "a") as mine:
        assert mine
        with durable.claimed(path, "a") as again, durable.claimed(path, "b") as other:
            assert (again, other) == (False, True)
        with durable.locked(path):
            pass  # a claim does not stand in the way of the lock
    with durable.claimed(path, "a") as mine:
        assert mine


def test_open_mode(tmp_path: Path) -> None:
    """What group and others may do is shown as chmod writes it."""
    path = tmp_path / "acme.json"
    path.write_bytes(b"")
    for mode, shown in ((0o600, ""), (0o400, ""), (0o644, "644"), (0o610, "610")):
        path.chmod(mode)
        assert durable.open_mode(path) == shown
