"""How clients are read: limits, timeouts, tolerances."""

from __future__ import annotations

from daemun.plan.http import HttpPolicy, OddNames, Underscores
from tests.kit.nginx_language import plan_of, server


def policy(more: str) -> HttpPolicy:
    plan = server(more)
    return plan.http[plan.hosts["server"].http]


def test_limits() -> None:
    """Sizes of heads, fields and bodies."""
    limits = policy(
        "client_header_buffer_size 2k; large_client_header_buffers 2 4k; client_max_body_size 5m; max_headers 50;"
    ).limits
    said = (limits.head_bytes, limits.target_bytes, limits.field_bytes, limits.body_bytes, limits.fields)
    assert said == (10_240, 4_096, 4_096, 5_242_880, 50)


def test_timeouts() -> None:
    """Times, and what `keepalive_timeout 0` means: one request a connection."""
    made = policy("client_header_timeout 5; client_body_timeout 6s; send_timeout 7000ms; keepalive_timeout 8s 9s;")
    times = made.timeouts
    assert (times.head_ms, times.body_idle_ms, times.write_idle_ms, times.keepalive_ms) == (5_000, 6_000, 7_000, 8_000)
    assert policy("keepalive_timeout 0;").keepalive.max_requests == 1


def test_tolerances() -> None:
    """Names of fields, slashes."""
    usual = policy("")
    assert (usual.tolerate.underscores, usual.tolerate.odd_names) == (Underscores.DROP, OddNames.DROP)
    odd = policy("underscores_in_headers on; ignore_invalid_headers off; merge_slashes off;")
    assert (odd.tolerate.underscores, odd.tolerate.odd_names) == (Underscores.KEEP, OddNames.KEEP)
    assert not odd.path.merge_slashes


def test_equal_ones_stand_once() -> None:
    """A thousand servers that say the same have one policy."""
    plan = plan_of("server { listen 80; } server { listen 81; } server { listen 82; send_timeout 1; }")
    assert len(plan.http) == 2


def test_a_locations_own_limit() -> None:
    """The limit of bodies is a location's own; the server's is none of its business."""
    plan = server("client_max_body_size 2m; location /a { client_max_body_size 0; } location /b { }")
    assert {name: one.body_bytes for name, one in plan.routes.items()} == {
        "server": None,
        "server /a": 0,
        "server /b": None,
    }
