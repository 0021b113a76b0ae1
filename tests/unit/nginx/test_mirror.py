"""`mirror` becomes filters Mirror."""

from __future__ import annotations

from pathlib import Path

from daemun.nginx.mirror import mirrors
from daemun.plan.filter import Mirror
from daemun.plan.plan import from_json
from tests.kit.nginx_parts import parts, scene

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def test_the_golden_mirror() -> None:
    """A copy, its body too, goes where the path leads in the server's table."""
    made = parts((GOLDEN / "mirror.conf").read_text())
    plan = from_json((GOLDEN / "mirror.json").read_bytes())
    assert mirrors(made.at("server", "location /"), made.making, scene()) == ("/ mirror",)
    assert made.making.filters == plan.filters


def test_each_mirror_gets_a_copy() -> None:
    """Without the body where that is off."""
    made = parts("mirror /a; mirror /b; mirror_request_body off; server { mirror off; }")
    names = mirrors(made.http, made.making, scene())
    assert names == ("/ mirror", "/ mirror 2")
    assert [one.body for one in made.making.filters.values() if isinstance(one, Mirror)] == [False, False]
    assert mirrors(made.at("server"), made.making, scene()) == ()
    assert made.said == []


def test_what_is_wrong() -> None:
    """A variable, and `off` beside a path."""
    made = parts("mirror $uri; server { mirror off; mirror /a; }")
    mirrors(made.http, made.making, scene())
    mirrors(made.at("server"), made.making, scene())
    assert made.said == [
        "1 error value: mirror takes no variables",
        "1 error duplicate: `mirror off` stands beside it",
    ]
