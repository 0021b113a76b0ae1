"""Imports point one way, in Python and in Rust (DESIGN.md section 3)."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "daemun"
LAYERS = (
    ("cli",),
    ("run.instance", "run.options", "run.proxy", "run.__main__", "run.drop_in"),
    ("supervisor",),
    (
        "run.wanted",
        "run.nginx_files",
        "run.lowering",
        "run.language",
        "run.certificates",
        "run.pages",
        "run.api_view",
        "run.notify",
        "run.growing",
        "run.borders",
    ),
    ("acme", "control", "engine"),
    ("certificates",),
    ("providers",),
    ("traefik", "nginx"),
    ("needs", "engine_terms"),
    ("config", "plan"),
    ("logs",),
    ("errors", "version", "whole_file"),
)
"""From top to bottom; a module imports from layers below its own, and from its own part of its layer."""
CRATES = {
    "daemun-engine": {"plan", "wire", "route"},
    "daemun-route": {"plan"},
    "daemun-wire": set(),
    "daemun-plan": set(),
}
MODULES = [
    *sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py" and path.parent != SOURCE),
    SOURCE / "supervisor.py",
    SOURCE / "logs.py",
    SOURCE / "needs.py",
    SOURCE / "engine_terms.py",
    SOURCE / "errors.py",
    SOURCE / "version.py",
    SOURCE / "whole_file.py",
]


def place(module: str) -> tuple[int, str] | None:
    """The layer of a module's name without `daemun.`, and its part of that layer."""
    for depth, layer in enumerate(LAYERS):
        for part in layer:
            if module == part or module.startswith(f"{part}."):
                return depth, part.split(".")[0]
    return None


def imported(path: Path) -> set[str]:
    """What a file imports of daemun, wherever in it, without `daemun.`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their package"
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name.removeprefix("daemun.") for name in names if name.startswith("daemun.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path: Path) -> None:
    """A module imports what stands below it, or beside it in its own package."""
    module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    own = place(module)
    assert own is not None, f"{module} stands in no layer: say which in LAYERS"
    for name in imported(path):
        other = place(name)
        assert other is not None, f"{module} imports {name}, which stands in no layer"
        assert other[0] > own[0] or other == own, f"{module} must not import {name}"


def test_the_running_process_needs_no_command_line() -> None:
    """What stays resident never imports typer or rich: only `daemun.cli` does."""
    for path in SOURCE.rglob("*.py"):
        if "cli" not in path.parts and path.name != "__main__.py":
            assert not re.search(r"^\s*(?:from|import) (?:typer|rich)\b", path.read_text("utf-8"), re.MULTILINE), path


@pytest.mark.parametrize(
    "manifest", sorted((ROOT / "engine" / "crates").glob("*/Cargo.toml")), ids=lambda m: m.parent.name
)
def test_crates_point_one_way(manifest: Path) -> None:
    """engine → {wire, route} → plan; and the lower ones do no I/O and hold no unsafe code."""
    crate = tomllib.loads(manifest.read_text(encoding="utf-8"))
    ours = {"plan", "wire", "route"} & set(crate["dependencies"])
    assert ours <= CRATES[crate["package"]["name"]]
    if crate["package"]["name"] != "daemun-engine":
        assert not {"tokio", "mio", "socket2", "rustix"} & set(crate["dependencies"])
        assert "#![forbid(unsafe_code)]" in (manifest.parent / "src" / "lib.rs").read_text(encoding="utf-8")
