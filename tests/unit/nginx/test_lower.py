"""Lowering of whole nginx files: the golden Plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.needs import AtHand, assume
from daemun.nginx.certificates import Resolver
from daemun.nginx.lower import lower
from daemun.nginx.read import read, read_text
from daemun.plan.log import File, Stdout
from daemun.plan.plan import from_json
from tests.kit.lowered.sameness import meaning

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
SOURCES = sorted(GOLDEN.glob("*.conf"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_golden_plans(source: Path) -> None:
    """Each source of tests/golden/plan means what the Plan beside it says, lowered by hand."""
    draft = lower(read(source), prefix="", unasked_log="logs/access.log", acme=Resolver(email="admin@example.org"))
    wanted = from_json(source.with_suffix(".json").read_bytes())
    assert meaning(draft.plan(assume(draft.needs))) == meaning(wanted)


def test_a_named_log_is_not_the_one_nobody_named() -> None:
    """Without a prefix what is logged unasked goes to standard output, also beside a server that names nginx's own file."""
    text = "server { listen 81; access_log logs/access.log; } server { listen 82; }"
    plan = lower(read_text(text)).plan(AtHand(certificates={}))
    sinks = [[plan.logs[name].sink for name in host.logs] for host in plan.hosts.values()]
    assert [type(one) for (one,) in sinks] == [File, Stdout]
