"""Where the engine is found: named, beside the command, or built in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemun.engine.locate import find_engine
from daemun.errors import EngineError


def program(path: Path, *, age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    stamp = path.stat().st_mtime + 10_000 - age
    os.utime(path, (stamp, stamp))
    return path


def test_named(tmp_path: Path) -> None:
    """DAEMUN_ENGINE wins over everything."""
    named = program(tmp_path / "mine")
    assert find_engine(environ={"DAEMUN_ENGINE": str(named)}) == named


def test_named_and_missing(tmp_path: Path) -> None:
    """A name that leads nowhere is an error, not a reason to take another."""
    with pytest.raises(EngineError, match="DAEMUN_ENGINE"):
        find_engine(environ={"DAEMUN_ENGINE": str(tmp_path / "none")})


def test_built_last(tmp_path: Path) -> None:
    """In a checkout the engine built last runs, whatever its profile."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "Cargo.toml").write_text("")
    program(tmp_path / "engine/target/debug/daemun-engine", age=50)
    newest = program(tmp_path / "engine/target/fast/daemun-engine", age=10)
    program(tmp_path / "engine/target/release/daemun-engine", age=90)
    assert find_engine(environ={}, checkout=tmp_path) == newest
