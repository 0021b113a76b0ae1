"""Lowering of whole nginx files: the golden Plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.needs import assume
from daemun.nginx.certificates import Resolver
from daemun.nginx.lower import lower
from daemun.nginx.read import read
from daemun.plan.plan import from_json
from tests.kit.lowered.sameness import meaning

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
SOURCES = sorted(GOLDEN.glob("*.conf"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_golden_plans(source: Path) -> None:
    """Each source of tests/golden/plan means what the Plan beside it says, lowered by hand."""
    draft = lower(read(source), prefix="", acme=Resolver(email="admin@example.org"))
    wanted = from_json(source.with_suffix(".json").read_bytes())
    assert meaning(draft.plan(assume(draft.needs))) == meaning(wanted)
