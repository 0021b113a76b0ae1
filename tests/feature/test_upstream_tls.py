"""TLS towards endpoints: verified by the Plan's roots and name, kept alive, and never mixed with other terms."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.kit.authority import Authority, Issued
from tests.kit.engine import Engine
from tests.kit.plans import (
    endpoint,
    listener,
    plan,
    policy,
    proxy,
    route,
    text,
    tls,
    tls_options,
    transport,
    upstream_tls,
)
from tests.kit.secure_origin import secure_origin
from tests.kit.waiting import until

AUTHORITY = Authority()
GOOD = AUTHORITY.issue("app.test", "127.0.0.1")


def https(address: str) -> dict[str, Any]:
    return endpoint(address, scheme="https", url=f"https://{address}")


def test_verified_and_kept_alive(tmp_path: Path) -> None:
    """An endpoint whose certificate the roots vouch for is asked, 20 times on one connection; no name is sent for an address."""
    with secure_origin(GOOD, tmp_path) as origin:
        whole = plan(https(origin.address), upstream={"tls": upstream_tls()})
        with Engine(whole, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
            for _turn in range(20):
                assert client.request().text == "ok"
            assert origin.connections == 1
            assert origin.names == [None]


@pytest.mark.parametrize(
    ("terms", "issued", "status"),
    [
        ({"server_name": text("app.test")}, GOOD, 200),
        ({"server_name": text("app.test"), "send_name": False}, GOOD, 200),
        ({"server_name": text("wrong.test")}, GOOD, 502),
        ({}, Authority().issue("127.0.0.1"), 502),
        ({"verify": False}, Authority().issue("whatever.test"), 200),
        ({}, AUTHORITY.issue("127.0.0.1", days=-0.001), 502),
    ],
)
def test_what_is_verified(tmp_path: Path, terms: dict[str, Any], issued: Issued, status: int) -> None:
    """Name, root and time are verified unless the Plan says not to; the name goes along unless it says not to."""
    with secure_origin(issued, tmp_path) as origin:
        whole = plan(https(origin.address), upstream={"tls": upstream_tls(**terms)})
        with Engine(whole, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
            response = client.request()
            assert response.status == status
            assert "127.0.0.1" not in response.text
            if "server_name" in terms:
                assert origin.names == (
                    [terms["server_name"][0]["literal"]] if terms.get("send_name", True) else [None]
                )


def test_other_terms_share_no_connection(tmp_path: Path) -> None:
    """A connection that was not verified is none for a route that verifies."""
    with secure_origin(Authority().issue("127.0.0.1"), tmp_path) as origin:
        whole = plan(
            https(origin.address),
            upstream={"tls": upstream_tls(verify=False)},
            rules=[
                {"match": {"path_prefix": "/strict"}, "route": "strict"},
                {"match": "always", "route": "app"},
            ],
            routes={"strict": route(proxy(transport="strict"))},
        )
        whole["transports"]["strict"] = transport(tls=upstream_tls())
        with Engine(whole, threads=1, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
            assert client.request().status == 200
            assert client.request("GET", "/strict").status == 502
            assert client.request().status == 200


def test_dead_connections_are_noticed(tmp_path: Path) -> None:
    """An endpoint that closes after each answer: the next request goes on a new connection, POST too, none fails."""
    with secure_origin(GOOD, tmp_path, drops_after=1) as origin:
        whole = plan(https(origin.address), upstream={"tls": upstream_tls()})
        with Engine(whole, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
            for number in range(10):
                assert client.request("POST" if number % 2 else "GET", body=b"x" if number % 2 else b"").status == 200
                # A POST that meets a connection in the moment of its end is 502, and rightly.
                until(lambda n=number: origin.closed == n + 1, what="the end of the connection")  # type: ignore[misc]
            assert origin.connections == 10


def test_endpoint_that_speaks_no_tls(tmp_path: Path) -> None:
    """Clear text where TLS was asked for is 502, a certificate that nobody asked for as well; nothing hangs."""
    with secure_origin(GOOD, tmp_path) as origin, socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            accepted, _ = plain.accept()
            with accepted:
                accepted.recv(4096)
                accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        clear = f"127.0.0.1:{plain.getsockname()[1]}"
        for target in (https(clear), endpoint(origin.address)):
            whole = plan(target, upstream={"tls": upstream_tls()})
            with Engine(whole, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
                assert client.request().status == 502


def test_handshake_counts_as_connecting() -> None:
    """An endpoint that accepts and does not shake hands is given up after `connect_ms`: 504."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        whole = plan(https(f"127.0.0.1:{mute.getsockname()[1]}"), upstream={"tls": upstream_tls(), "connect_ms": 300})
        with Engine(whole, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
            assert client.request().status == 504


def test_certificate_shown_to_an_endpoint(tmp_path: Path) -> None:
    """An endpoint that wants a certificate gets the Plan's."""
    own = AUTHORITY.issue("gate.test")
    with secure_origin(GOOD, tmp_path) as origin:
        origin._context.verify_mode = ssl.CERT_REQUIRED
        origin._context.load_verify_locations(cadata=AUTHORITY.root)
        for certificate, status in (("own", 200), (None, 502)):
            whole = plan(
                https(origin.address),
                upstream={"tls": upstream_tls(certificate=certificate)},
                names={"own": own.names},
            )
            with (
                Engine(whole, secrets={"roots": AUTHORITY.root}, certificates={"own": own}) as engine,
                engine.client() as client,
            ):
                assert client.request().status == status


def test_post_quantum_group_is_preferred() -> None:
    """Two engines in a row: where the second has X25519MLKEM768 only, the first offers it at once."""
    with SecureGate(groups=["X25519MLKEM768"]) as inner:
        whole = plan(https("{}:{}".format(*inner.engine.tcp())), upstream={"tls": upstream_tls()})
        with Engine(whole, secrets={"roots": AUTHORITY.root}) as engine, engine.client() as client:
            assert client.request().status == 503
            assert inner.engine.stats()["handshakes"] == {"full": 1, "resumed": 0, "failed": 0}


class SecureGate:
    """An engine with TLS and no endpoint behind it: answers 503."""

    def __init__(self, *, groups: list[str]) -> None:
        whole = plan(
            listeners={"web": listener(tls=tls("good", default="good"))},
            names={"good": GOOD.names},
            tls_options={"options": tls_options(groups=groups)},
            http=policy(),
        )
        self.engine = Engine(whole, certificates={"good": GOOD})

    def __enter__(self) -> SecureGate:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.kill()
