"""Where a configuration file is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.config.search import find_config, search_path


def test_order() -> None:
    """Ours come first, then Traefik's in its order; each as TOML, then YAML."""
    environ = {"HOME": "/h", "XDG_CONFIG_HOME": "/x"}
    paths = [str(path) for path in search_path(environ)]
    assert paths[:3] == ["daemun.toml", "daemun.yaml", "daemun.yml"]
    assert paths[::3] == [
        "daemun.toml",
        "/x/daemun/daemun.toml",
        "/h/.config/daemun/daemun.toml",
        "/etc/daemun/daemun.toml",
        "/etc/traefik/traefik.toml",
        "/x/traefik.toml",
        "/h/.config/traefik.toml",
        "traefik.toml",
    ]
    assert "/x/daemun/daemun.toml" not in map(str, search_path({"HOME": "/h"}))


def test_the_first_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of that name is no file; nothing found is None."""
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path)}
    assert find_config(environ, root=tmp_path) is None
    (tmp_path / "traefik.yml").write_text("")
    assert find_config(environ, root=tmp_path) == Path("traefik.yml")
    (tmp_path / "daemun.toml").mkdir()
    theirs = tmp_path / "etc" / "traefik" / "traefik.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("")
    assert find_config(environ, root=tmp_path) == theirs
    (tmp_path / "daemun.yml").write_text("")
    assert find_config(environ, root=tmp_path) == Path("daemun.yml")
