"""The reader: files, includes, blocks, and the same words as crossplane, which many tools read nginx files with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import crossplane  # type: ignore[import-untyped]
import pytest

from daemun.nginx.directive import Directive
from daemun.nginx.read import read, read_text

ROOT = Path(__file__).parents[3]
FILES = sorted([*(ROOT / "tests" / "golden" / "plan").glob("*.conf"), *(ROOT / "tests" / "seed").glob("*.conf")])


def shape(directives: Sequence[Directive]) -> list[Any]:
    return [[one.name, list(one.args), None if one.block is None else shape(one.block)] for one in directives]


def crossplane_shape(block: list[dict[str, Any]]) -> list[Any]:
    return [
        [one["directive"], one["args"], crossplane_shape(one["block"]) if "block" in one else None] for one in block
    ]


def without_parentheses(shapes: list[Any]) -> list[Any]:
    """crossplane takes the parentheses of `if` off."""
    out = []
    for name, args, block in shapes:
        kept = args
        if name == "if":
            joined = [args[0].removeprefix("("), *args[1:]]
            joined[-1] = joined[-1].removesuffix(")")
            kept = [word for word in joined if word]
        out.append([name, kept, None if block is None else without_parentheses(block)])
    return out


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_same_as_crossplane(path: Path) -> None:
    """Every file of ours has the names, arguments and blocks that crossplane finds, at the same lines."""
    parsed = crossplane.parse(str(path), check_ctx=False, check_args=False, single=True)
    found = read(path)
    assert found.problems == ()
    [config] = parsed["config"]
    ours = without_parentheses(shape(found.directives))
    # crossplane leaves escapes as they stand (a backslash before a quote or a letter is our reader's to resolve).
    assert ours == crossplane_shape(config["parsed"])
    assert [one.place.line for one in found.directives] == [one["line"] for one in config["parsed"]]


def test_includes(tmp_path: Path) -> None:
    """A pattern is read in the order of names, relative to the main file; in a block too; all are watched."""
    (tmp_path / "conf.d" / "deep").mkdir(parents=True)
    (tmp_path / "conf.d" / "b.conf").write_text("b;")
    (tmp_path / "conf.d" / "a.conf").write_text("a; include conf.d/deep/x;")
    (tmp_path / "conf.d" / "deep" / "x").write_text("x;")
    (tmp_path / "conf.d" / ".hidden.conf").write_text("hidden;")
    main = tmp_path / "nginx.conf"
    main.write_text("http { include conf.d/*.conf; include none/*.conf; }")
    found = read(main)
    assert found.problems == ()
    assert shape(found.directives) == [["http", [], [["a", [], None], ["x", [], None], ["b", [], None]]]]
    assert [path.name for path in found.files] == ["nginx.conf", "a.conf", "x", "b.conf"]
    (tmp_path / "conf.d" / "c.conf").write_text("c;")
    assert tmp_path / "conf.d" / "c.conf" in found.watched()


def test_an_include_that_is_missing(tmp_path: Path) -> None:
    """A plain name must be there; the rest is read all the same, and what is missing is watched."""
    main = tmp_path / "nginx.conf"
    main.write_text("a;\ninclude gone.conf;\nb;")
    found = read(main)
    [problem] = found.problems
    assert (problem.place and problem.place.line, "gone.conf cannot be read" in problem.message) == (2, True)
    assert [one.name for one in found.directives] == ["a", "b"]
    assert tmp_path / "gone.conf" in found.watched()


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    """It is said, not followed for ever."""
    main = tmp_path / "nginx.conf"
    main.write_text("include nginx.conf;")
    assert any("included by itself" in problem.message for problem in read(main).problems)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a {\nb;", 'unexpected end of file, expecting "}"', 1),
        ("a;\nb", 'unexpected end of file, expecting ";" or "}"', 2),
        ("a;\n}", 'unexpected "}"', 2),
        ("a {\nb }", 'unexpected "}"', 2),
        ("\n;", 'unexpected ";"', 2),
        ("{", 'unexpected "{"', 1),
        ('a "b"c;', 'unexpected "c"', 1),
        ('a "b;\nc;', 'unexpected end of file, expecting ";" or "}"', 1),
        ("a {" * 200, "blocks are nested too deeply", 1),
    ],
)
def test_syntax_faults(text: str, message: str, line: int) -> None:
    """nginx's words, at the place where it went wrong."""
    [problem] = read_text(text).problems
    assert (problem.message, problem.place and problem.place.line) == (message, line)


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    """It is said with its line."""
    (tmp_path / "n.conf").write_bytes(b"a;\nb \xff;\n")
    [problem] = read(tmp_path / "n.conf").problems
    assert (problem.message, problem.place and problem.place.line) == ("the file is not UTF-8", 2)
