"""`ip_hash`, `hash` and `hash … consistent` choose the server that nginx chooses: both are asked with the same keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.nginx import Nginx, is_installed
from tests.kit.origin import Origin, answering
from tests.kit.plans import Json, endpoint, plan
from tests.kit.wire import Address, Client

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs nginx")

#: Weight, and what else is written behind a server.
SERVERS: list[tuple[int, str]] = [(1, ""), (3, ""), (2, ""), (1, "down"), (1, "")]
KEYS = [f"key-{number}" for number in range(300)]
SOURCES = [f"127.{a}.{b}.{c}" for a in range(0, 250, 25) for b in range(3, 250, 50) for c in (1, 200)]


def hashed(*, consistent: bool) -> Json:
    return {"hash": {"key": [{"argument": "k"}], "consistent": consistent}}


@contextlib.contextmanager
def beside(strategy: Any, directive: str, *, gone: tuple[int, ...] = ()) -> Iterator[tuple[Address, Address]]:
    """Addresses of an engine and of nginx that balance over the same servers; those in `gone` refuse."""
    with contextlib.ExitStack() as stack:
        origins = [stack.enter_context(Origin(answering(str(number).encode()))) for number in range(len(SERVERS))]
        servers = "".join(
            f"server {o.address} weight={weight} {more};" for o, (weight, more) in zip(origins, SERVERS, strict=True)
        )
        http = f"upstream app {{ {directive}; {servers} }} server {{ listen PORT; location / {{ proxy_pass http://app; }} }}"
        endpoints = [
            endpoint(o.address, weight=weight, down=bool(more), url=o.address)
            for o, (weight, more) in zip(origins, SERVERS, strict=True)
        ]
        nginx = stack.enter_context(Nginx(http))
        engine = stack.enter_context(Engine(plan(*endpoints, balance={"strategy": strategy})))
        for number in gone:
            origins[number].close()
        yield engine.address(), ("127.0.0.1", nginx.port)


def by_key(address: Address) -> list[str]:
    with Client(address) as client:
        return [client.request("GET", f"/?k={key}").text for key in KEYS]


def by_source(address: Address) -> list[str]:
    found = []
    for source in SOURCES:
        with Client(address, source=source) as client:
            found.append(client.request().text)
    return found


@pytest.mark.parametrize("gone", [(), (1,), (0, 1, 2)], ids=["all", "one-gone", "three-gone"])
@pytest.mark.parametrize(("consistent", "directive"), [(False, "hash $arg_k"), (True, "hash $arg_k consistent")])
def test_of_a_key(directive: str, gone: tuple[int, ...], *, consistent: bool) -> None:
    """Every key goes where nginx sends it, past servers that are down, and past those that refuse."""
    with beside(hashed(consistent=consistent), directive, gone=gone) as (engine, nginx):
        ours, theirs = by_key(engine), by_key(nginx)
        assert ours == theirs
        assert len(set(ours)) == 4 - len(gone)


@pytest.mark.parametrize("gone", [(), (1,)], ids=["all", "one-gone"])
def test_of_an_address(gone: tuple[int, ...]) -> None:
    """Every client goes where nginx sends it."""
    with beside("nginx_ip_hash", "ip_hash", gone=gone) as (engine, nginx):
        ours, theirs = by_source(engine), by_source(nginx)
        assert ours == theirs
        assert len(set(ours)) == 4 - len(gone)


def test_without_a_key() -> None:
    """A key that is empty: the servers take turns."""
    with beside(hashed(consistent=False), "hash $arg_k") as (engine, nginx):
        turns = []
        for address in (engine, nginx):
            with Client(address) as client:
                turns.append([client.request().text for _ in range(14)])
        assert turns[0] == turns[1]
