"""Files that are replaced at once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from daemun.whole_file import replace_file


def test_the_new_content_with_its_mode(tmp_path: Path) -> None:
    """Nobody else may read it unless that is said; a reader who has the old one open goes on with it."""
    path = tmp_path / "plan.json"
    replace_file(path, b"one")
    with path.open("rb") as before:
        replace_file(path, b"two", mode=0o644)
        assert before.read() == b"one"
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    replace_file(path, b"three")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """What cannot be replaced stays, and no half of the new one beside it."""
    path = tmp_path / "plan.json"
    path.mkdir()
    with pytest.raises(OSError, match="plan"):
        replace_file(path, b"one")
    assert list(tmp_path.iterdir()) == [path]
