"""Connections over TLS: how they begin, what they carry, how they end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Any

import pytest
from cryptography import x509

from tests.kit.authority import Authority
from tests.kit.origin import Origin
from tests.kit.plans import policy, replaced
from tests.kit.secured import AUTHORITY, EXACT, secured, shown


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_session_resumes_on_any_thread_and_after_an_apply(version: ssl.TLSVersion) -> None:
    """One ticket resumes on all four threads, and after an apply of a Plan with the same options; not after other ones."""
    context = AUTHORITY.trusting()
    context.minimum_version = context.maximum_version = version
    with secured() as (engine, whole), contextlib.ExitStack() as stack:
        first = stack.enter_context(engine.tls_client(context))
        assert first.request().status == 200
        session = first.tls.session
        assert session is not None
        assert not first.tls.session_reused
        clients = [stack.enter_context(engine.tls_client(context, session=session)) for _ in range(16)]
        assert all(client.tls.session_reused for client in clients)
        assert all(thread["connections"] for thread in engine.stats()["threads"])
        engine.apply(replaced(whole, "lifetimes.removed_route_ms", 1))
        after = stack.enter_context(engine.tls_client(context, session=session))
        assert after.tls.session_reused
        assert engine.stats()["handshakes"] == {"full": 1, "resumed": 17, "failed": 0}
        engine.apply(replaced(whole, "tls_options.options.alpn", ["http/1.1", "http/1.0"]))
        other = stack.enter_context(engine.tls_client(context, session=session))
        assert not other.tls.session_reused


def test_no_tickets() -> None:
    """Without `session_tickets` nothing resumes."""
    context = AUTHORITY.trusting()
    with secured(options={"session_tickets": False}) as (engine, _), engine.tls_client(context) as first:
        assert first.request().status == 200
        with engine.tls_client(context, session=first.tls.session) as client:
            assert not client.tls.session_reused


@pytest.mark.parametrize("plain", ["serve", "refuse"])
def test_clear_text_on_a_tls_listener(plain: str) -> None:
    """Served like any other, or answered with the fault `plain_on_tls` and closed, as the Plan says."""
    with secured(tls_fields={"plain": plain}) as (engine, _), engine.client() as client:
        response = client.request()
        assert response.status == (200 if plain == "serve" else 400)
        assert response.closes == (plain == "refuse")


def test_silent_and_broken_handshakes() -> None:
    """Who says nothing is let go after the head's time, who says nonsense at once; others notice nothing."""
    with secured(http=policy(timeouts={"head_ms": 300})) as (engine, _):
        with engine.client() as silent, engine.client() as half, engine.client() as junk:
            half.send(b"\x16\x03\x01\x02")
            junk.send(b"\x16\x03\x01\x00\x05hello")
            for client in (silent, half):
                client.assert_ended()
            assert client.ended_now()
            junk.read_to_end()
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.request().status == 200
        assert engine.stats()["handshakes"]["failed"] == 3
        assert engine.stats()["panics"] == 0


def test_end_is_said() -> None:
    """An idle connection that is let go gets a close_notify, so that its end is no truncation (RFC 8446 section 6.1)."""
    with (
        secured(http=policy(timeouts={"keepalive_ms": 200})) as (engine, _),
        engine.tls_client(AUTHORITY.trusting()) as client,
    ):
        assert client.request().status == 200
        # An end without it would be an SSLEOFError.
        vars(client.tls)["suppress_ragged_eofs"] = False
        assert client.tls.recv(1) == b""


def test_pipelined_requests_in_one_record() -> None:
    """Requests that came in one record are all answered, though the socket has nothing more to tell."""
    with secured() as (engine, _), engine.tls_client(AUTHORITY.trusting()) as client:
        one = b"GET / HTTP/1.1\r\nHost: example.org\r\nX-Fill: " + b"x" * 7_000 + b"\r\n\r\n"
        client.send(one * 10)
        for _turn in range(10):
            assert client.read_response().status == 200


def test_large_bodies() -> None:
    """100 MB each way over TLS at constant memory, to a slow reader too."""
    size = 100_000_000

    def script(visit: Any) -> None:
        visit.read_head()
        got = 0
        while got < size:
            got += len(visit.data)
            visit.data.clear()
            if got < size:
                visit.read_more()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        piece = b"x" * 1_000_000
        for _turn in range(size // len(piece)):
            visit.send(piece)

    with secured() as (engine, whole), Origin(script) as origin:
        engine.apply(replaced(whole, "services.app.kind.balanced.endpoints.0.address", origin.address))
        with engine.tls_client(AUTHORITY.trusting()) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: %d\r\n\r\n" % size)
            for _turn in range(100):
                client.send(b"y" * 1_000_000)
            assert client.read_head().status == 200
            assert client.read_exactly(size) == b"x" * size
        assert engine.memory_peak() < 64 << 20


def test_tunnel_over_tls() -> None:
    """An upgraded connection carries bytes both ways, much at once too."""
    many = 5_000_000

    def script(visit: Any) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        visit.read_more()
        visit.send(b"z" * many)
        visit.read_to_end()

    with secured() as (engine, whole), Origin(script) as origin:
        engine.apply(replaced(whole, "services.app.kind.balanced.endpoints.0.address", origin.address))
        with engine.tls_client(AUTHORITY.trusting()) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            assert client.read_head().status == 101
            client.send(b"go")
            assert client.read_exactly(many) == b"z" * many


def test_certificate_swapped_under_load() -> None:
    """A certificate swapped 1,000 times while clients connect and ask: no failed handshake, no lost request."""
    with secured() as (engine, _), engine.control() as control:
        stop = threading.Event()
        failures: list[BaseException] = []
        served: list[int] = []

        def work() -> None:
            context = AUTHORITY.trusting()
            count = 0
            try:
                while not stop.is_set():
                    with engine.tls_client(context) as client:
                        for _turn in range(3):
                            assert client.request().status == 200
                            count += 1
            except (OSError, AssertionError) as error:
                failures.append(error)
            served.append(count)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        both = (EXACT, AUTHORITY.issue("example.org"))
        start = max(engine.stats()["certificates"].values())
        for number in range(1_000):
            issued = both[number % 2]
            control.call(
                "put_certificate", name="exact", generation=start + 1 + number, chain=issued.chain, key=issued.key
            )
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures, failures[:3]
        assert sum(served) > 100
        assert engine.stats()["handshakes"]["failed"] == 0


def test_challenge() -> None:
    """A handshake that offers `acme-tls/1` alone is shown the challenge's certificate for its name (RFC 8737); others are not."""
    # The extension is critical, and nobody but an authority knows it.
    proof = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"), b"\x04\x20" + bytes(32))
    challenge = Authority("Challenge").issue("example.org", critical=proof)
    with secured() as (engine, _), engine.control() as control:
        control.call("put_challenge", name="Example.org", chain=challenge.chain, key=challenge.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["acme-tls/1"])
        with engine.tls_client(context) as client:
            assert client.tls.selected_alpn_protocol() == "acme-tls/1"
            assert shown(client) == challenge.serial
            assert client.tls.recv(1) == b""
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert shown(client) == EXACT.serial
            assert client.request().status == 200
        control.call("drop_challenge", name="example.org")
        with pytest.raises(ssl.SSLError):
            engine.tls_client(context)


def test_slow_client_of_a_handshake_holds_up_nobody() -> None:
    """Handshakes that stop half-way stand beside those that go on, on every thread."""
    with secured() as (engine, _), contextlib.ExitStack() as stack:
        for _turn in range(40):
            slow = stack.enter_context(contextlib.closing(socket.create_connection(engine.tcp())))
            slow.sendall(b"\x16\x03\x01")
        for _turn in range(8):
            with engine.tls_client(AUTHORITY.trusting()) as client:
                assert client.request().status == 200
