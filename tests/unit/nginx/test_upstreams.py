"""`upstream`: servers and their parameters, methods, idle connections."""

from __future__ import annotations

import pytest

from daemun.plan import service
from daemun.plan.template import Variable
from tests.kit.nginx_language import messages, plan_of


def upstream(block: str) -> service.Balanced:
    kind = plan_of(f"upstream app {{ {block} }}").services["app"].kind
    assert isinstance(kind, service.Balanced)
    return kind


def test_servers() -> None:
    """Every parameter; the same address twice is told apart."""
    made = upstream(
        "server a:1 weight=3 max_conns=5; server a:1 max_fails=0 fail_timeout=1m; server b:2 backup down; zone z 64k;"
    )
    said = [(e.address, e.ordinal, e.weight, e.max_connections, e.backup, e.down) for e in made.endpoints]
    assert said == [("a:1", 0, 3, 5, False, False), ("a:1", 1, 1, 0, False, False), ("b:2", 0, 1, 0, True, True)]
    rest = service.Rest(failures=0, window_ms=60_000, rest_ms=60_000, spare_single=True, early_ms=1_000)
    assert [one.rest for one in made.endpoints] == [None, rest, None]


@pytest.mark.parametrize(
    ("method", "strategy"),
    [
        ("", service.RoundRobin()),
        ("least_conn;", service.LeastConnections()),
        ("ip_hash;", service.NginxIpHash()),
        ("hash $request_uri consistent;", service.Hash(key=(Variable.REQUEST_URI,), consistent=True)),
        ("hash $request_uri;", service.Hash(key=(Variable.REQUEST_URI,), consistent=False)),
        ("random two least_conn;", service.PowerOfTwo()),
        ("least_time header;", service.LeastTime()),
    ],
)
def test_methods(method: str, strategy: service.Strategy) -> None:
    """Each method of balancing."""
    assert upstream(f"{method} server a;").strategy == strategy


def test_idle_connections() -> None:
    """32 unless said; `keepalive` and its family are the upstream's own."""
    plan = plan_of(
        "upstream a { server a; } upstream b { server b; keepalive 8 local; keepalive_requests 9; "
        "keepalive_timeout 7s; keepalive_time 1m; }"
    )
    pools = []
    for name in ("a", "b"):
        kind = plan.services[name].kind
        assert isinstance(kind, service.Balanced)
        pool = plan.transports[kind.transport].pool
        pools.append((pool.max_idle, pool.max_requests, pool.idle_ms, pool.max_age_ms))
    assert pools == [(32, 1_000, 60_000, 3_600_000), (8, 9, 7_000, 60_000)]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("server a weight=0;", 'invalid parameter "weight=0"'),
        ("server a slow_start=5s;", "not supported: slow_start"),
        ("server a backup;", 'no servers but backups are inside upstream "app"'),
        ("hash $host twice; server a;", 'invalid parameter "twice"'),
        ("sticky cookie x; server a;", '"sticky" is not supported'),
    ],
)
def test_what_is_refused(block: str, message: str) -> None:
    """Each is said."""
    assert messages(f"upstream app {{ {block} }}") == [message]
