"""Every kind of fault is raised by something real, here or elsewhere; and each gets the Plan's answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.origin import Origin, Script, Visit, dead, raw, silent
from tests.kit.plans import faults, plan, policy, route
from tests.kit.waiting import until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

ELSEWHERE = {
    "plain_on_tls": "test_tls_connections.py",
    "misdirected": "test_tls_names.py",
    "forbidden": "test_access.py",
    "unauthorized": "test_access.py",
    "not_found": "test_files.py",
    "directory_redirect": "test_files.py",
    "method_not_allowed": "test_files.py",
    "precondition_failed": "test_files.py",
    "range_not_satisfiable": "test_files.py",
    "client_gone": "below",
    "internal": "only what must not happen, and a pattern over its step limit (below)",
}
"""Kinds that other tests raise."""


def never(visit: Visit) -> None:
    visit.read_request()
    visit.read_to_end()


def hangs_up(visit: Visit) -> None:
    visit.read_request()


def timeouts(**fields: int) -> dict[str, Any]:
    return {"http": policy(timeouts=fields)}


def limits(**fields: int) -> dict[str, Any]:
    return {"http": policy(limits=fields)}


Case = tuple[bytes, Script | str, dict[str, Any]]

RAISED: dict[str, Case] = {
    "bad_request": (b"GET / HTTP/1.1\r\n\r\n", never, {}),
    "target_too_long": (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 200), never, limits(target_bytes=100)),
    "head_too_large": (b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (b"x" * 900), never, limits(head_bytes=500)),
    "head_timeout": (b"GET / HTTP/1.1\r\nHo", never, timeouts(head_ms=200)),
    "body_timeout": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", never, timeouts(body_idle_ms=200)),
    "body_too_large": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", never, limits(body_bytes=8)),
    "expectation_failed": (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", never, {}),
    "not_implemented": (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", never, {}),
    "version_not_supported": (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", never, {}),
    "no_route": (GET, never, {"rules": [{"match": {"path": "/elsewhere"}, "route": "app"}]}),
    "no_endpoint": (GET, "none", {}),
    "connect_failed": (GET, "dead", {}),
    "connect_timeout": (GET, "silent", {"upstream": {"connect_ms": 200}}),
    "upstream_closed": (GET, hangs_up, {}),
    "upstream_invalid": (GET, raw(b"nonsense\r\n\r\n"), {}),
    "too_many_jumps": (GET, never, {"routes": {"app": route({"jump": {"uri": {"table": "table", "uri": []}}})}}),
    "response_timeout": (GET, never, {"upstream": {"response_head_ms": 200}}),
}


@contextlib.contextmanager
def behind(kind: Script | str) -> Iterator[list[str]]:
    """Addresses of an origin of this kind."""
    if kind == "none":
        yield []
    elif kind == "dead":
        with dead() as address:
            yield [address]
    elif kind == "silent":
        with silent() as address:
            yield [address]
    else:
        assert callable(kind)
        with Origin(kind) as origin:
            yield [origin.address]


def test_every_kind_has_a_case() -> None:
    """A new kind of fault needs something that raises it."""
    assert sorted([*RAISED, *ELSEWHERE]) == sorted(faults())


@pytest.mark.parametrize("kind", sorted(RAISED))
def test_fault_is_raised_answered_and_counted(kind: str) -> None:
    """What raises it gets the Plan's answer for exactly this kind, and the statistics say so."""
    sent, origin, fields = RAISED[kind]
    with behind(origin) as addresses, Engine(plan(*addresses, **fields)) as engine, engine.client() as client:
        client.send(sent)
        response = client.read_response()
        wanted = faults()[kind]
        assert response.status == wanted["status"]
        assert [{"literal": response.text}] == wanted["body"]
        if wanted["close"]:
            assert response.closes
        assert engine.stats()["faults"] == {kind: 1}


def test_client_gone_is_counted() -> None:
    """A client that resets while its answer is awaited."""
    with Origin(never) as origin, Engine(plan(origin.address)) as engine:
        client = engine.client()
        client.send(GET)
        until(lambda: origin.requests, what="the request")
        client.reset()
        until(lambda: engine.stats()["faults"] == {"client_gone": 1}, what="the fault")


@pytest.mark.parametrize("kind", sorted(faults()))
def test_fail_action_answers(kind: str) -> None:
    """The action `fail` answers as the fault itself."""
    with Engine(plan(routes={"app": route({"fail": kind})})) as engine, engine.client() as client:
        client.send(GET)
        assert client.read_response().status == faults()[kind]["status"]
        assert engine.stats()["faults"] == {kind: 1}


def test_pattern_over_its_step_limit_is_internal() -> None:
    """A backtracking pattern that takes too many steps is a fault, not a hang."""
    evil = {"regex": "^/(?:(?=a)a+)+b$", "dialect": "pcre", "ignore_case": False, "slot": None}
    rules = [{"match": {"path_regex": evil}, "route": "app"}]
    with Engine(plan(rules=rules)) as engine, engine.client() as client:
        assert client.request("GET", "/" + "a" * 60).status == 500
        assert engine.stats()["faults"] == {"internal": 1}
