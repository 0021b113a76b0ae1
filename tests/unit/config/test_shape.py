"""What options are called and of which kind they are, read off the models."""

from __future__ import annotations

from daemun.config.shape import shape_of
from tests.kit.carts import Axle, Cart, Lamp, Wheel


def test_kinds() -> None:
    """A value, a switch, lists and tables of values, a section, sections by name and in a list."""
    kinds = {alias: (child.kind, child.model) for alias, child in shape_of(Cart).names.values()}
    assert kinds == {
        "ownerName": ("value", None),
        "loadLimit": ("value", None),
        "fast": ("switch", None),
        "tags": ("values", None),
        "axles": ("map", Axle),
        "lamp": ("section", Lamp),
        "line": ("value", None),
    }
    kinds = {alias: (child.kind, child.model) for alias, child in shape_of(Axle).names.values()}
    assert kinds == {"wheels": ("list", Wheel), "lamp": ("section", Lamp), "labels": ("table", None)}


def test_known_names() -> None:
    """What comes later is known too; what belongs elsewhere is not."""
    assert "roofRack" in shape_of(Cart).known()
    assert "horse" not in shape_of(Cart).known()
    assert "ownername" in shape_of(Cart).names
