"""Twins share a name: the Plan's modules in both languages, and a unit test beside what it tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "daemun"
PYTHON_ONLY = {"plan", "codec", "diff", "endpoints", "origin", "pretty", "scalars", "variable"}
"""`plan` is the crate's lib.rs; the others are how Python reads, compares and shows what serde does in Rust."""


def test_every_module_of_the_plan_has_its_twin() -> None:
    """`daemun.plan.route` and the crate's route.rs describe the same things."""
    rust = {path.stem for path in (ROOT / "engine" / "crates" / "plan" / "src").glob("*.rs")} - {"lib"}
    python = {path.stem for path in (SOURCE / "plan").glob("*.py")} - {"__init__"} - PYTHON_ONLY
    assert python == rust


def test_every_golden_source_has_its_plan() -> None:
    """An input and what it means stand side by side."""
    folder = ROOT / "tests" / "golden" / "plan"
    sources = {path.stem for path in folder.iterdir() if path.suffix != ".json"}
    plans = {path.stem for path in folder.glob("*.json")}
    assert sources <= plans
    assert plans - sources <= {"every-type"}


def test_unit_tests_mirror_the_sources() -> None:
    """tests/unit/traefik/test_rules.py tests traefik/rules.py; a test of no module has a package to live in."""
    for path in (ROOT / "tests" / "unit" / "traefik").glob("test_*.py"):
        module = SOURCE / "traefik" / f"{path.stem.removeprefix('test_')}.py"
        assert module.is_file() or path.stem == "test_damage", f"{path.name} tests no module of its name"
