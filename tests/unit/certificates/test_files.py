"""Pairs and roots from files: whole or not at all, the last good one stays, problems have a place."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemun.certificates.files import Files, FilesRead, look_at, resolve
from daemun.errors import Place
from daemun.needs import Needs
from daemun.traefik.certificate_needs import certificate_needs
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.read import load_dynamic, load_static
from daemun.traefik.static import Static
from tests.kit.authority import Authority

AUTHORITY = Authority()
ONE, TWO = AUTHORITY.issue("one.org"), AUTHORITY.issue("two.org")
NOW = datetime.now(UTC)


def configuration(folder: Path, text: str) -> tuple[Static, Dynamic]:
    """An entry point with TLS, and this dynamic file in a folder."""
    (folder / "d.yml").write_text(text)
    static, _ = load_static("entryPoints: {web: {address: ':443', http: {tls: {}}}}", file="t.yml")
    dynamic, problems = load_dynamic([folder / "d.yml"])
    assert problems == []
    return static, dynamic


def needs_of(folder: Path, text: str) -> Needs:
    return certificate_needs(*configuration(folder, text))[0]


def one_pair(folder: Path, more: str = "") -> Needs:
    return needs_of(
        folder, f"tls:\n  certificates:\n    - {{certFile: {folder}/a.crt, keyFile: {folder}/a.key}}\n{more}"
    )


def names(read: FilesRead) -> list[tuple[str, ...]]:
    return [material.names for material in read.materials.values()]


def test_a_pair(tmp_path: Path) -> None:
    """Read, and read again when it changed; what did not change is the same object."""
    ONE.write(tmp_path, "a")
    needs, files = one_pair(tmp_path), Files()
    first = files.read(needs, now=NOW)
    assert (names(first), first.problems) == ([("one.org",)], ())
    assert set(files.paths) == {tmp_path / "a.crt", tmp_path / "a.key"}
    second = files.read(needs, now=NOW)
    assert next(iter(second.materials.values())) is next(iter(first.materials.values()))
    TWO.write(tmp_path, "a")
    assert names(files.read(needs, now=NOW)) == [("two.org",)]


def test_the_last_good_one_stays(tmp_path: Path) -> None:
    """A key of another certificate, a half-written file, a file that is gone: what was before stays, and is said so."""
    ONE.write(tmp_path, "a")
    needs, files = one_pair(tmp_path), Files()
    files.read(needs, now=NOW)
    for spoil in (
        lambda: (tmp_path / "a.crt").write_text(TWO.chain),
        lambda: (tmp_path / "a.crt").write_text(ONE.chain[:100]),
        (tmp_path / "a.key").unlink,
    ):
        spoil()
        read = files.read(needs, now=NOW)
        assert names(read) == [("one.org",)]
        [problem] = read.problems
        assert (problem.severity, problem.kind) == ("error", "certificate")
        assert "what was before stays" in problem.message
        assert f"{tmp_path}/a.crt with the key {tmp_path}/a.key" in problem.message
        assert str(problem.place) == f"{tmp_path}/d.yml:3:18"
    TWO.write(tmp_path, "a")
    read = files.read(needs, now=NOW)
    assert (names(read), read.problems) == ([("two.org",)], ())


def test_broken_from_the_start(tmp_path: Path) -> None:
    """It is left out, and others are served."""
    TWO.write(tmp_path, "b")
    more = f"    - {{certFile: {tmp_path}/b.crt, keyFile: {tmp_path}/b.key}}\n"
    read = Files().read(one_pair(tmp_path, more), now=NOW)
    assert names(read) == [("two.org",)]
    [problem] = read.problems
    assert f"{tmp_path}/a.crt cannot be read: No such file or directory" in problem.message
    assert "stays" not in problem.message


def test_what_is_no_longer_named_is_forgotten(tmp_path: Path) -> None:
    """A pair that comes back broken has no good one before it."""
    ONE.write(tmp_path, "a")
    files = Files()
    needs = one_pair(tmp_path)
    files.read(needs, now=NOW)
    files.read(needs_of(tmp_path, "{}"), now=NOW)
    assert files.paths == ()
    (tmp_path / "a.crt").write_text("")
    assert names(files.read(one_pair(tmp_path), now=NOW)) == []


def test_texts_in_place_of_files(tmp_path: Path) -> None:
    """They are taken as they stand, and a key's text is in no problem."""
    indented = [text.replace("\n", "\n        ") for text in (ONE.chain, ONE.key, TWO.key)]
    text = "tls:\n  certificates:\n    - certFile: |\n        {}\n      keyFile: |\n        {}\n"
    read = Files().read(needs_of(tmp_path, text.format(indented[0], indented[1])), now=NOW)
    assert (names(read), read.problems) == ([("one.org",)], ())
    [problem] = Files().read(needs_of(tmp_path, text.format(indented[0], indented[2])), now=NOW).problems
    assert "the certificate written here with the key written here cannot be used" in problem.message
    assert problem.place is not None
    assert problem.place.source == ""
    assert problem.place.line == 3


def test_roots(tmp_path: Path) -> None:
    """Roots of transports; broken ones stay as they were."""
    (tmp_path / "ca.pem").write_text(AUTHORITY.root)
    needs = needs_of(tmp_path, f"http: {{serversTransports: {{t: {{rootCAs: [{tmp_path}/ca.pem]}}}}}}")
    files = Files()
    assert list(files.read(needs, now=NOW).secrets.values()) == [AUTHORITY.root]
    (tmp_path / "ca.pem").write_text("nothing")
    read = files.read(needs, now=NOW)
    assert list(read.secrets.values()) == [AUTHORITY.root]
    assert f"the roots {tmp_path}/ca.pem cannot be used" in read.problems[0].message
    assert files.paths == (tmp_path / "ca.pem",)


@pytest.mark.parametrize(("days", "words"), [(60, "ended on"), (-60, "is not valid yet")])
def test_dates(tmp_path: Path, days: int, words: str) -> None:
    """A certificate that no client accepts is served all the same, and said."""
    ONE.write(tmp_path, "a")
    read = Files().read(one_pair(tmp_path), now=NOW + timedelta(days=days))
    assert names(read) == [("one.org",)]
    [problem] = read.problems
    assert (problem.severity, words in problem.message) == ("warning", True)


def test_relative_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the working directory, else to the file that names them."""
    beside, here = tmp_path / "conf", tmp_path / "here"
    for folder in (beside, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    place = Place(file=str(beside / "d.yml"))
    assert resolve("a.crt", place) == Path("a.crt")
    (beside / "a.crt").touch()
    assert resolve("a.crt", place) == beside / "a.crt"
    (here / "a.crt").touch()
    assert resolve("a.crt", place) == Path("a.crt")
    assert resolve("/a.crt", place) == Path("/a.crt")


def test_something_else(tmp_path: Path) -> None:
    """A directory and a file of another kind do no harm."""
    ONE.write(tmp_path, "a")
    (tmp_path / "a.crt").write_bytes(os.urandom(5 * 1024 * 1024))
    [problem] = Files().read(one_pair(tmp_path), now=NOW).problems
    assert "larger than any certificate" in problem.message
    (tmp_path / "a.crt").unlink()
    (tmp_path / "a.crt").mkdir()
    [problem] = Files().read(one_pair(tmp_path), now=NOW).problems
    assert "Is a directory" in problem.message


def test_for_check(tmp_path: Path) -> None:
    """`daemun check` looks at the files too."""
    text = f"tls: {{certificates: [{{certFile: {tmp_path}/a.crt, keyFile: {tmp_path}/a.key}}]}}"
    [problem] = look_at(certificate_needs(*configuration(tmp_path, text))[0])
    assert problem.is_error
    ONE.write(tmp_path, "a")
    assert look_at(certificate_needs(*configuration(tmp_path, text))[0]) == []
