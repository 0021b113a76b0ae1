"""`daemun check` on nginx configurations: broken ones beside nginx's words, and what has no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.check import check
from tests.kit.broken import Broken, broken, ours

BROKEN = broken()


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_broken_configurations(case: Broken) -> None:
    """Each says what stands in its file: the place, what is wrong, and what to do."""
    assert ours(case.text) == case.ours


def test_there_are_enough_of_them() -> None:
    """Thirty at least, and every message has its place and its remedy."""
    assert len(BROKEN) >= 30
    for case in BROKEN:
        lines = case.ours.splitlines()
        assert lines, case.name
        assert all(line[0].isdigit() for line in lines[::2]), case.name
        assert all(line.startswith("    ") and len(line) > 8 for line in lines[1::2]), case.name


def test_everything_is_said_at_once(tmp_path: Path) -> None:
    """A file with many mistakes gives all of them, in its order, and those of what it includes."""
    (tmp_path / "more.conf").write_text("server { listen 81; rooot /; }\n")
    main = tmp_path / "nginx.conf"
    main.write_text(
        "http {\n  gzip maybe;\n  include more.conf;\n  server { listen 99999; client_max_body_size x; }\n}\n"
    )
    said = [(Path(p.place.file).name, p.place.line, p.message) for p in check(main) if p.place is not None]
    assert said == [
        ("nginx.conf", 2, 'invalid value "maybe" in "gzip" directive, it must be "on" or "off"'),
        ("nginx.conf", 4, 'invalid port in "99999" of the "listen" directive'),
        ("nginx.conf", 4, '"client_max_body_size" directive invalid value'),
        ("more.conf", 1, 'unknown directive "rooot"'),
    ]


def test_what_has_no_effect(tmp_path: Path) -> None:
    """It is said when asked for, as information."""
    main = tmp_path / "nginx.conf"
    main.write_text("pid a.pid;\nevents { worker_connections 512; }\nhttp { sendfile on; server { listen 80; } }\n")
    assert check(main) == []
    said = check(main, with_idle=True)
    assert [(problem.severity, problem.subject) for problem in said] == [
        ("info", "pid"),
        ("info", "worker_connections"),
        ("info", "sendfile"),
    ]


def test_an_error_log_below_http(tmp_path: Path) -> None:
    """The one of `http` is served, one of a server has no effect: said when asked for."""
    main = tmp_path / "nginx.conf"
    main.write_text("http {\nerror_log a.log;\nserver { listen 80;\nerror_log b.log warn; } }\n")
    [said] = check(main, with_idle=True)
    assert (said.severity, said.subject, said.place and said.place.line) == ("info", "error_log", 4)
