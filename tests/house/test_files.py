"""How files look: short, opened by a docstring, without what the style forbids (STYLE.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAVE_OUT = {"target", "seed", "node_modules", "build", "dist"}
LONGEST = 500
DATA_TABLES: dict[str, str] = {}
"""Files that may be longer, and why: tables that are data."""
MAY_SLEEP = {
    "tests/kit/waiting.py": "the pause between two looks",
    "tests/feature/test_uvicorn_keepalive.py": "the gap between requests is what is tested",
    "tests/feature/test_timeouts_limits.py": "a slow client is what is tested",
    "tests/feature/test_counts_return.py": "a slow upload and the length of a rest are what is tested",
    "tests/unit/providers/test_watch.py": "a pause in writing is what is tested",
}
# Debian's package of the Docker engine is called as the registry's domain: that is meant with a host before or a path behind.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "crates" + ".io", "deb." + "debian.org"]
REGISTRIES += [".docker" + ".io", "docker" + ".io/"]
LOCKS = {"Cargo.lock"}


def files(*suffixes: str) -> Iterator[Path]:
    """Every file of the checkout, without what is built or was the user's."""
    for top in sorted(ROOT.iterdir()):
        if top.is_file() and top.suffix in suffixes:
            yield top
        elif top.is_dir() and (not top.name.startswith(".") or top.name == ".ci") and top.name not in LEAVE_OUT:
            for path in sorted(top.rglob("*")):
                parts = path.relative_to(ROOT).parts
                if path.is_file() and path.suffix in suffixes and not LEAVE_OUT & set(parts[:-1]):
                    yield path


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_too_long() -> None:
    """At most 500 lines, tables of data apart."""
    long = {name(p): n for p in files(".py", ".rs", ".sh") if (n := len(p.read_text("utf-8").splitlines())) > LONGEST}
    assert {path: n for path, n in long.items() if path not in DATA_TABLES} == {}


def test_every_module_says_what_it_is() -> None:
    """A Python module opens with a docstring, a Rust file with `//!`."""
    silent = [name(p) for p in files(".py") if ast.get_docstring(ast.parse(p.read_text("utf-8"))) is None]
    silent += [name(p) for p in files(".rs") if not p.read_text("utf-8").startswith("//!")]
    assert silent == []


def test_packages_hold_no_code() -> None:
    """`__init__.py` has a docstring and nothing else."""
    full = [name(p) for p in files(".py") if p.name == "__init__.py" and len(ast.parse(p.read_text("utf-8")).body) > 1]
    assert full == []


def test_no_registry_is_named() -> None:
    """Where packages come from is the machine's affair: pip, cargo and apt know it."""
    suffixes = (".py", ".rs", ".sh", ".toml", ".md", ".yml", ".cfg", ".json", "")
    named = [
        (name(path), host)
        for path in files(*suffixes)
        if path.name not in LOCKS
        for host in REGISTRIES
        if host in path.read_text("utf-8", errors="replace")
    ]
    assert named == []


def test_tests_do_not_sleep() -> None:
    """A test waits for facts, not for time; where time is the subject, it says so above."""
    asleep = [
        name(path)
        for path in files(".py")
        if path.is_relative_to(ROOT / "tests") and path != Path(__file__) and "time.sleep(" in path.read_text("utf-8")
    ]
    assert set(asleep) <= set(MAY_SLEEP)


@pytest.mark.parametrize("forbidden", ["utils.py", "helpers.py", "common.py", "misc.py"])
def test_names_say_something(forbidden: str) -> None:
    """No module is named after having no idea."""
    assert [name(path) for path in files(".py") if path.name == forbidden] == []
