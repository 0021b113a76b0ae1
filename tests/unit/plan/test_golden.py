"""The golden Plans: read, written as they stood, and what the hand-lowered pieces say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemun.plan.listener import Host
from daemun.plan.plan import from_json, to_json
from daemun.plan.pretty import pretty
from daemun.plan.route import Route
from tests.kit.lowered.golden import PLANS

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
SEED = Path(__file__).parents[2] / "seed"
FILES = sorted(GOLDEN.glob("*.json"))


def test_every_golden_file_has_its_pieces() -> None:
    """No golden file stands without the function that says what it means, and none is missing."""
    assert {path.stem for path in FILES} == set(PLANS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_reads_and_writes_back_as_it_stood(path: Path) -> None:
    """A Plan read from JSON writes the same JSON."""
    text = path.read_bytes()
    plan = from_json(text)
    assert json.loads(to_json(plan)) == json.loads(text)
    assert pretty(plan) == text.decode()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_says_what_was_lowered_by_hand(path: Path) -> None:
    """The file is what its function makes (`python -m tests.kit.lowered.golden` writes it anew)."""
    assert from_json(path.read_bytes()) == PLANS[path.stem]()


@pytest.mark.parametrize("name", ["traefik-dev.toml", "traefik-prod.toml", "nginx-basic.conf", "nginx-light.conf"])
def test_the_seed_beside_a_golden_file_is_the_users(name: str) -> None:
    """The source beside a golden file is the user's own, to the byte."""
    assert (GOLDEN / name).read_bytes() == (SEED / name).read_bytes()


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "every-type"], ids=lambda path: path.stem)
def test_names_only_what_exists(path: Path) -> None:
    """Ids in a golden Plan lead somewhere."""
    plan = from_json(path.read_bytes())
    users: list[Route | Host] = [*plan.routes.values(), *plan.hosts.values()]
    assert {listener.http for listener in plan.listeners.values()} <= set(plan.http)
    assert {name.host for one in plan.listeners.values() for name in one.hosts.names} <= set(plan.hosts)
    assert {one.hosts.default for one in plan.listeners.values()} <= set(plan.hosts)
    assert {host.table for host in plan.hosts.values()} <= set(plan.tables)
    used = {name for one in users for name in one.filters}
    assert used == set(plan.filters)
    assert {name for one in users for name in one.logs} == set(plan.logs)
    assert {one.faults for one in users} <= set(plan.faults)
    assert not _named(json.loads(path.read_bytes()), "route") - set(plan.routes)
    assert not _named(json.loads(path.read_bytes()), "service") - set(plan.services)
    assert not _named(json.loads(path.read_bytes()), "transport") - set(plan.transports)


def _named(tree: object, key: str) -> set[str]:
    """Every text that stands under this key."""
    if isinstance(tree, dict):
        own = {value for name, value in tree.items() if name == key and isinstance(value, str)}
        return own.union(*(_named(value, key) for value in tree.values()))
    return set().union(*(_named(value, key) for value in tree)) if isinstance(tree, list) else set()
