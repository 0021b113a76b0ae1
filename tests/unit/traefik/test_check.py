"""Check: everything wrong in a set of files at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.config.read import read_text
from daemun.traefik.check import check, is_dynamic

STATIC = "entryPoints: {web: {address: ':80'}}\nproviders: {file: {filename: d.yml}}\n"
DYNAMIC = "http:\n  routers:\n    r: {rule: Host(`a`), service: %s, entryPoints: [%s]}\n  services:\n    s: {loadBalancer: {servers: [{url: '%s'}]}}\n"


def write(folder: Path, static: str = STATIC, service: str = "s", entry: str = "web", url: str = "http://a") -> Path:
    (folder / "d.yml").write_text(DYNAMIC % (service, entry, url))
    (folder / "t.yml").write_text(static)
    return folder / "t.yml"


def test_nothing_wrong(tmp_path: Path) -> None:
    """A right configuration has no problem at all."""
    assert check([write(tmp_path)]) == []


def test_a_static_file_is_followed(tmp_path: Path) -> None:
    """The file that the provider names is checked with it."""
    [problem] = check([write(tmp_path, service="nope", entry="wbe")])[:1]
    assert problem.place is not None
    assert problem.place.file == str(tmp_path / "d.yml")
    messages = [problem.message for problem in check([write(tmp_path, service="nope", entry="wbe")])]
    assert any("no entry point 'wbe'" in message for message in messages)
    assert any("no service 'nope'" in message for message in messages)


def test_both_given_are_judged_once(tmp_path: Path) -> None:
    """Naming the dynamic file too changes nothing."""
    static = write(tmp_path, service="nope")
    assert check([static, tmp_path / "d.yml"]) == check([static])


def test_a_dynamic_file_alone(tmp_path: Path) -> None:
    """Entry points are then not judged, references within are."""
    write(tmp_path, service="nope", entry="anything")
    [problem] = check([tmp_path / "d.yml"])
    assert "no service 'nope'" in problem.message


def test_errors_of_both_at_once(tmp_path: Path) -> None:
    """A broken static file does not hide what is wrong in the dynamic one."""
    problems = check([write(tmp_path, static=STATIC + "lgo: {}\n", service="nope")])
    assert {problem.kind for problem in problems} == {"unknown", "reference"}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing and broken files are problems, not exceptions."""
    (tmp_path / "bad.toml").write_text("x =")
    problems = check([tmp_path / "bad.toml", tmp_path / "gone.yml", tmp_path / "x.conf"])
    assert [problem.kind for problem in problems] == ["syntax", "file", "file"]


def test_uvicorn_on_a_unix_socket(tmp_path: Path) -> None:
    """A Unix-socket server gets the hint about --forwarded-allow-ips, which is no error."""
    [problem] = check([write(tmp_path, url="unix:///run/app.sock")])
    assert problem.severity == "info"
    assert "--forwarded-allow-ips='*'" in problem.remedy


@pytest.mark.parametrize(
    ("text", "dynamic"),
    [
        ("http: {}", True),
        ("tcp: {}\ntls: {}", True),
        ("entryPoints: {}\nhttp: {}", False),
        ("log: {}", False),
        ("", False),
    ],
)
def test_which_is_which(text: str, dynamic: bool) -> None:  # noqa: FBT001
    """A file is dynamic when most of it is."""
    assert is_dynamic(read_text(text, file="x.yml")) is dynamic


def test_problems_come_from_top_to_bottom(tmp_path: Path) -> None:
    """A person works through a file from its first line to its last."""
    (tmp_path / "d.yml").write_text(
        "http:\n  routers:\n    a: {rule: Host(`a`), service: nope}\n    b: {rule: Hots(`a`), service: s}\n  servces: {}\n"
    )
    lines = [problem.place.line for problem in check([tmp_path / "d.yml"]) if problem.place is not None]
    assert lines == [3, 4, 4, 5]  # the rule and the service of b
