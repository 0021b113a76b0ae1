"""The door: static files, the files they lead to, references between entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.errors import ConfigError
from daemun.traefik.read import dynamic_files, load_static


def static_with(provider: str) -> str:
    return f"[entryPoints.web]\naddress = ':80'\n[providers.file]\n{provider}\n"


def test_one_file(tmp_path: Path) -> None:
    """`filename` is relative to the working directory, else to the static file."""
    (tmp_path / "d.toml").write_text("")
    static, _ = load_static(static_with("filename = 'd.toml'"))
    assert dynamic_files(static) == [Path("d.toml")]
    assert dynamic_files(static, beside=tmp_path / "traefik.toml") == [tmp_path / "d.toml"]


def test_a_directory(tmp_path: Path) -> None:
    """A directory is read with everything below it, in order, other endings left out."""
    (tmp_path / "sub").mkdir()
    for name in ("b.yml", "a.toml", "sub/c.yaml", "notes.txt", "x.json"):
        (tmp_path / name).write_text("")
    static, _ = load_static(static_with(f"directory = '{tmp_path}'"))
    assert [path.name for path in dynamic_files(static)] == ["a.toml", "b.yml", "c.yaml"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """It is an error that names it."""
    static, _ = load_static(static_with(f"directory = '{tmp_path}/no'"))
    with pytest.raises(ConfigError, match="cannot read the directory"):
        dynamic_files(static)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (static_with(""), "names neither a filename nor a directory"),
        (static_with("filename = 'x'") + "[ping]\nentryPoint = 'wbe'", "there is no entry point 'wbe'"),
        (
            static_with("filename = 'x'") + "[entryPoints.web.http.redirections.entryPoint]\nto = 'x'",
            "there is no entry point 'x'",
        ),
        (static_with("filename = 'x'") + "[entryPoints.other]\naddress = ':80'", "have the same address"),
    ],
)
def test_static_errors(text: str, words: str) -> None:
    """What cannot work is an error, and the static configuration is not used."""
    with pytest.raises(ConfigError, match=words):
        load_static(text)


def test_no_provider_routes_nothing() -> None:
    """A static file without a provider is said to route nothing; with one that comes later it is not."""
    _, problems = load_static("[entryPoints.web]\naddress = ':80'")
    assert ["nothing will be routed" in problem.message for problem in problems] == [True]
    _, problems = load_static("[providers.swarm]")
    assert [problem.kind for problem in problems] == ["not_yet"]


def test_directory_wins_over_filename() -> None:
    """As in Traefik; it is said."""
    _, problems = load_static(static_with("filename = 'x'\ndirectory = 'y'"))
    assert ["filename is not read" in problem.message for problem in problems] == [True]


def test_yaml_too() -> None:
    """The text's syntax is told by its name."""
    static, _ = load_static("entryPoints: {web: {address: ':81'}}\nproviders: {file: {filename: x}}", file="t.yml")
    assert static.entry_points["web"].port == 81
