"""What changed between two Plans, by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from daemun.plan.diff import KINDS, Changes, changed
from daemun.plan.plan import Plan, from_json

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
MIRROR = from_json((GOLDEN / "mirror.json").read_bytes())


def test_a_plan_does_not_differ_from_itself() -> None:
    """Equal values are no change, even if built twice."""
    assert changed(MIRROR, from_json((GOLDEN / "mirror.json").read_bytes())) == {}


def test_everything_is_new_without_an_old_plan() -> None:
    """The first Plan appears whole."""
    first = changed(None, MIRROR)
    assert first["services"] == Changes(appeared=("app", "shadow"), vanished=(), changed=())


def test_names_what_came_went_and_changed() -> None:
    """Each kind says its own; kinds without a change are left out."""
    routes = {"new": MIRROR.routes["/"], "/mirror": replace(MIRROR.routes["/mirror"], internal=False)}
    new = replace(MIRROR, routes=routes)
    assert changed(MIRROR, new) == {"routes": Changes(appeared=("new",), vanished=("/",), changed=("/mirror",))}


def test_knows_every_kind_of_object() -> None:
    """No map of the Plan is forgotten."""
    assert set(KINDS) == set(Plan.__slots__) - {"version", "lifetimes", "slots"}
