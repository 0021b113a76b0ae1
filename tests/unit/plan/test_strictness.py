"""What is no Plan is refused with the path to it: unknown, missing, of another type, or anything at random."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemun.plan.codec import reader
from daemun.plan.diff import KINDS
from daemun.plan.plan import MalformedPlan, Plan, from_json

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
EVERY: dict[str, Any] = json.loads((GOLDEN / "every-type.json").read_bytes())
NAMED = frozenset(KINDS)
JUNK: tuple[Any, ...] = (None, True, -1, 2**64, 1.0, "", "x", [], [None], {}, {"x": 1}, {"always": {}}, {"all": [1]})


def refusal(tree: Any) -> MalformedPlan:
    with pytest.raises(MalformedPlan) as caught:
        reader(Plan)(tree)
    return caught.value


def objects(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths to the objects that have fixed fields."""
    if isinstance(tree, dict):
        names = len(path) == 1 and path[0] in NAMED
        if not names and not (len(path) == 2 and path[0] in {"faults", "mime_types"}):
            yield path
        for key, value in tree.items():
            yield from objects(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from objects(value, (*path, index))


def at(tree: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def shown(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def test_an_unknown_field_is_refused_in_every_object() -> None:
    """A field too many, in whatever object, is refused, and the path leads into that object."""
    tree = copy.deepcopy(EVERY)
    for path in objects(EVERY):
        place = at(tree, path)
        place["surplus"] = 1
        assert str(refusal(tree)).startswith(shown(path)), path
        del place["surplus"]


def test_a_missing_field_is_refused_in_every_object() -> None:
    """A field too few, null ones among them, is refused by its name (law 1: every field is explicit)."""
    tree = copy.deepcopy(EVERY)
    for path in objects(EVERY):
        place = at(tree, path)
        for key, value in list(place.items()):
            del place[key]
            assert refusal(tree).path in {shown((*path, key)), shown(path)}, path
            place[key] = value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": True}, "version: expected an integer, found True"),
        ({"slots": "x"}, "slots: expected a list, found 'x'"),
        ({"slots": ["ok", 3]}, "slots[1]: expected a string, found 3"),
        (
            {"lifetimes": {"removed_route_ms": -1, "snapshot_ms": 0}},
            "lifetimes.removed_route_ms: expected an integer from 0",
        ),
        ({"tables": {"t": {"first": [{"match": "never", "route": "r"}]}}}, "tables.t.first[0].match: expected one of"),
        ({"routes": {"api@file": {"origin": None}}}, "routes.api@file.origin: expected an object, found null"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(change: dict[str, Any], said: str) -> None:
    """The message begins with the path and says what was expected and found."""
    assert str(refusal({**EVERY, **change})).startswith(said)


def test_another_version_is_refused_by_name() -> None:
    """A Plan of another version is told apart from a broken one."""
    with pytest.raises(MalformedPlan, match=r"^version: expected 1, found 2$"):
        from_json(json.dumps({**EVERY, "version": 2}).encode())


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"version": NaN}', b"[" * 100_000, b'{"version": 1, "version": 1}'],
)
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    """Not even JSON, or not an object, or a field twice: MalformedPlan and nothing else."""
    with pytest.raises(MalformedPlan):
        from_json(text)


def test_random_changes_give_a_plan_or_a_refusal() -> None:
    """Junk anywhere in a golden Plan is read or refused as MalformedPlan; no other exception gets out."""
    seed = random.randrange(2**32)  # noqa: S311 (no secret)
    print(f"seed {seed}")
    dice = random.Random(seed)  # noqa: S311
    sources = [path.read_bytes() for path in sorted(GOLDEN.glob("*.json"))]
    for _ in range(300):
        tree = json.loads(dice.choice(sources))
        spots = [path for path in objects(tree) if at(tree, path)]
        for _ in range(dice.randint(1, 3)):
            spot = dice.choice(spots)
            try:
                place = at(tree, spot)
                key = dice.choice(list(place))
                place[key] = dice.choice(JUNK)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took it away
        with contextlib.suppress(MalformedPlan):
            from_json(json.dumps(tree).encode())
