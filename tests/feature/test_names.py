"""Endpoints that are names: asked for again when the record's TTL is over, kept while the name server is silent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.kit import dns
from tests.kit.engine import Engine
from tests.kit.origin import Origin, answering
from tests.kit.plans import plan
from tests.kit.waiting import until

#: Every request connects anew, so that it shows where the name leads.
FRESH = {"pool": {"max_idle": 0}}

pytestmark = pytest.mark.skipif(not dns.possible(), reason="needs root: a name server on port 53, a mount namespace")


def test_ttl_is_kept(tmp_path: Path) -> None:
    """A name that moves is followed within its TTL, and is not asked for at every request."""
    with (
        Origin(answering(b"old"), host="127.0.0.2") as old,
        Origin(answering(b"new"), host="127.0.0.3", port=old.port),
        dns.NameServer({"app.test": (["127.0.0.2"], 2)}) as names,
        Engine(plan(f"app.test:{old.port}", upstream=FRESH), prefix=dns.private(tmp_path)) as engine,
        engine.client() as client,
    ):
        for _ in range(50):
            assert client.request().text == "old"
        assert names.asked["app.test"] <= 4
        names.names["app.test"] = (["127.0.0.3"], 2)
        start = time.monotonic()
        until(lambda: client.request().text == "new", what="the new address")
        assert time.monotonic() - start < 10
        for _ in range(20):
            assert client.request().text == "new"


def test_longest_hold(tmp_path: Path) -> None:
    """`resolve_ms` holds a name no longer than that, however long its TTL."""
    with (
        Origin(answering(b"old"), host="127.0.0.2") as old,
        Origin(answering(b"new"), host="127.0.0.3", port=old.port),
        dns.NameServer({"app.test": (["127.0.0.2"], 3_600)}) as names,
        Engine(
            plan(f"app.test:{old.port}", upstream={**FRESH, "resolve_ms": 1_000}), prefix=dns.private(tmp_path)
        ) as engine,
        engine.client() as client,
    ):
        assert client.request().text == "old"
        names.names["app.test"] = (["127.0.0.3"], 3_600)
        until(lambda: client.request().text == "new", what="the new address")


def test_second_address_is_tried(tmp_path: Path) -> None:
    """A name with several addresses, one of them dead: no client sees an error."""
    with (
        Origin(answering(b"alive"), host="127.0.0.3") as alive,
        dns.NameServer({"app.test": (["127.0.0.2", "127.0.0.3"], 60)}),
        Engine(plan(f"app.test:{alive.port}"), prefix=dns.private(tmp_path)) as engine,
    ):
        for _ in range(10):
            with engine.client() as client:
                assert client.request("GET", "/", "Connection: close").text == "alive"


def test_name_that_vanishes(tmp_path: Path) -> None:
    """A name server that no longer knows the name: 502 at the latest when the old address is dead, and the engine lives."""
    with (
        dns.NameServer({"app.test": (["127.0.0.2"], 1)}) as names,
        Origin(answering(b"ok"), host="127.0.0.2") as origin,
        Engine(plan(f"app.test:{origin.port}"), prefix=dns.private(tmp_path)) as engine,
        engine.client() as client,
    ):
        assert client.request().status == 200
        del names.names["app.test"]
        origin.close()
        until(lambda: client.request().status in (502, 503), what="an error")
        names.names["app.test"] = (["127.0.0.2"], 1)
        with Origin(answering(b"back"), host="127.0.0.2", port=origin.port):
            until(lambda: client.request().text == "back", what="the name to be found again")
