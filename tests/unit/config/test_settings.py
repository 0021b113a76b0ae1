"""Dotted names: their steps, and what the model has at their end."""

from __future__ import annotations

import pytest

from daemun.config.settings import Setting, kind_at, steps_of
from tests.kit.carts import Cart


@pytest.mark.parametrize(
    ("name", "separator", "steps"),
    [
        ("a.b", ".", ("a", "b")),
        ("a[0].b", ".", ("a", "[0]", "b")),
        ("a[0]", ".", ("a", "[0]")),
        ("a..b", ".", ("a", "", "b")),
        ("a_0_b", "_", ("a", "0", "b")),
        ("[0]", ".", ("[0]",)),
    ],
)
def test_steps(name: str, separator: str, steps: tuple[str, ...]) -> None:
    """An index is a step of its own; an empty step is kept, for it is wrong."""
    assert steps_of(name, separator=separator) == steps


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("fast", "switch"),
        ("lamp", "section"),
        ("axles.x", "section"),
        ("axles.x.lamp.BRIGHT", "switch"),
        ("axles.x.wheels", "list"),
        ("axles.x.wheels[0]", "section"),
        ("axles.x.wheels[0].spokes", "values"),
        ("axles.x.wheels[0].spokes[1]", "value"),
        ("axles.x.labels.a.b", "value"),
        ("axles.x.labels", "table"),
        ("roofRack", None),
        ("roofRack.size", None),
        ("fast.x", None),
        ("nothing", None),
    ],
)
def test_kinds(name: str, kind: str | None) -> None:
    """The way leads through sections, names of the user's and indexes."""
    assert kind_at(Cart, steps_of(name, separator=".")) == kind


def test_spelling() -> None:
    """An option is spelled as its source spells it."""
    steps = ("a", "b", "[0]", "c")
    assert Setting(name="--a", steps=("a",), value="").spelled(steps) == "--a.b[0].c"
    assert Setting(name="T_A", steps=("a",), value="", prefix="T_").spelled(("a", "b")) == "T_A_B"
