"""The Rust crate and the dataclasses say the same: names of types, fields in order, variants and their tags."""

from __future__ import annotations

import importlib
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from daemun.plan.codec import Newtype, fields_of, tag_of, variants_of
from daemun.plan.plan import VERSION

CRATE = Path(__file__).parents[3] / "engine" / "crates" / "plan" / "src"
MODULES = {path.stem: ("plan" if path.stem == "lib" else path.stem) for path in sorted(CRATE.glob("*.rs"))}
STRUCT = re.compile(r"^pub struct (\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
ENUM = re.compile(r"^pub enum (\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r'^    (?:#\[serde\(rename = "(\w+)"\)\]\n    )?(?:#\[.*\]\n    )?pub (\w+):', re.MULTILINE)
VARIANT = re.compile(
    r'^    (?:#\[serde\(rename = "([\w.]+)"\)\]\n    )?([A-Z]\w*)(\([^\n]*\)| \{.*?\})?,$', re.MULTILINE | re.DOTALL
)
INNER = re.compile(r"(\w+): [A-Z]\w*|(\w+): (?:bool|u\d+)")


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def source(stem: str) -> str:
    """The Rust text without comments."""
    return re.sub(r"^ *//.*\n", "", (CRATE / f"{stem}.rs").read_text(encoding="utf-8"), flags=re.MULTILINE)


def declared(pattern: re.Pattern[str]) -> list[Any]:
    found = [
        pytest.param(module, name, body, id=f"{stem}.{name}")
        for stem, module in MODULES.items()
        for name, body in pattern.findall(source(stem))
    ]
    assert found
    return found


def twin(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"daemun.plan.{module}"), name)


def test_the_versions_are_equal() -> None:
    """Both sides speak one version."""
    assert f"pub const VERSION: u32 = {VERSION};" in source("lib")


@pytest.mark.parametrize(("module", "name", "body"), declared(STRUCT))
def test_a_struct_has_the_same_fields_in_order(module: str, name: str, body: str) -> None:
    """A struct's twin is a dataclass with the same fields; null is allowed where Rust has Option."""
    of = twin(module, name)
    rust = [renamed or field for renamed, field in FIELD.findall(body)]
    assert [key for _, key, _ in fields_of(of)] == rust
    optional = {key for _, key, hint in fields_of(of) if type(None) in getattr(hint, "__args__", ())}
    assert optional == set(re.findall(r"pub (\w+): Option<", body))
    explicit = body.count('deserialize_with = "crate::explicit"')
    assert explicit == len(optional), "law 1: every Option names its reader"


@pytest.mark.parametrize(("module", "name", "body"), declared(ENUM))
def test_an_enum_has_the_same_variants(module: str, name: str, body: str) -> None:
    """An enum's twin is a StrEnum, or a union with the same tags and the same fields within them."""
    variants = VARIANT.findall(body)
    of = twin(module, name)
    if isinstance(of, type) and issubclass(of, StrEnum):
        assert [member.value for member in of] == [renamed or snake(variant) for renamed, variant, _ in variants]
        return
    twins = {tag_of(variant): variant for variant in variants_of(of)}
    assert set(twins) == {snake(variant) for _, variant, _ in variants}
    for _, variant, content in variants:
        kind = twins[snake(variant)]
        if content.startswith(" {"):
            plain = re.sub(r"#\[.*?\]", "", content)
            assert [key for _, key, _ in fields_of(kind)] == [a or b for a, b in INNER.findall(plain)]
            assert not issubclass(kind, Newtype)
        elif not content:
            assert fields_of(kind) == []


def test_every_module_has_its_twin() -> None:
    """A Rust module without a Python one, or the other way round, is a drift."""
    own = {"codec", "diff", "endpoints", "origin", "pretty", "scalars", "variable", "__init__"}
    package = Path(importlib.import_module("daemun.plan").__file__ or "").parent
    assert {path.stem for path in package.glob("*.py")} - own == set(MODULES.values())
