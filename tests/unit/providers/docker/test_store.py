"""The containers as they were last known, over a restart."""

from __future__ import annotations

import json
from pathlib import Path

from daemun.providers.docker.store import Store

KNOWN = [{"Id": "a", "Name": "/web"}]


def store(directory: Path | None, *, provider: str = "docker", endpoint: str = "unix:///s") -> Store:
    return Store(directory, provider=provider, endpoint=endpoint)


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """In a file of its own for each provider, that nobody else may read."""
    store(tmp_path).keep(KNOWN)
    assert store(tmp_path).load() == KNOWN
    assert store(tmp_path, provider="docker-a/b").load() is None
    store(tmp_path, provider="docker-a/b").keep([])
    assert store(tmp_path, provider="docker-a/b").load() == []
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_another_engine_or_another_boot_is_not_believed(tmp_path: Path) -> None:
    """Addresses belong to others there, or then."""
    store(tmp_path).keep(KNOWN)
    assert store(tmp_path, endpoint="unix:///t").load() is None
    [path] = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "boot": "before"}))
    assert store(tmp_path).load() is None


def test_what_cannot_be_read_or_written_is_nothing(tmp_path: Path) -> None:
    """It only helps; it never hinders."""
    store(None).keep(KNOWN)
    assert store(None).load() is None
    store(tmp_path / "missing").keep(KNOWN)
    store(tmp_path).keep(KNOWN)
    [path] = tmp_path.iterdir()
    for text in ("{", "[]", "{}", '{"containers": 1}'):
        path.write_text(text)
        assert store(tmp_path).load() is None
