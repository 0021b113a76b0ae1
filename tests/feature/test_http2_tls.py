"""HTTP/2 over TLS: chosen by ALPN, and bound to the terms its connection was made on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.kit.engine import Engine
from tests.kit.http2 import PREFACE, Http2
from tests.kit.origin import Origin
from tests.kit.plans import replaced
from tests.kit.secured import AUTHORITY, secured

BOTH = {"alpn": ["h2", "http/1.1"]}


@contextlib.contextmanager
def _both() -> Iterator[Engine]:
    """An engine with TLS for both protocols, an echo behind it."""
    with secured(options=BOTH) as (engine, whole), Origin() as echo:
        both = replaced(whole, "listeners.web.protocols", ["http1", "http2"])
        engine.apply(replaced(both, "services.app.kind.balanced.endpoints.0.address", echo.address))
        yield engine


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)]
)
def test_protocol_by_alpn(offered: list[str], chosen: str | None) -> None:
    """What client and listener both speak, HTTP/2 first; HTTP/1 where a client says nothing."""
    context = AUTHORITY.trusting()
    if offered:
        context.set_alpn_protocols(offered)
    with _both() as engine, engine.tls_client(context) as client:
        assert client.tls.selected_alpn_protocol() == chosen
        if chosen != "h2":
            assert client.request().status == 200
            return
        spoken = Http2(client.socket)
        for _ in range(3):
            answer = spoken.ask()
            assert answer.status == 200
            told = json.loads(bytes(answer.body))
            assert ["X-Forwarded-Proto", "https"] in told["headers"]


def test_large_bodies_over_tls() -> None:
    """Bodies both ways, through records and frames."""
    context = AUTHORITY.trusting()
    context.set_alpn_protocols(["h2"])
    with _both() as engine, engine.tls_client(context) as client:
        body = b"x" * 3_000_000
        answer = Http2(client.socket).ask("POST", body=body)
        assert len(json.loads(bytes(answer.body))["body"]) == len(body)


def test_preface_without_alpn_is_refused() -> None:
    """Prior knowledge is for clear text: over TLS the protocol is what ALPN said."""
    with _both() as engine, engine.tls_client(AUTHORITY.trusting()) as client:
        client.send(PREFACE)
        assert client.read_response().status == 400


def test_host_of_other_terms_is_misdirected() -> None:
    """A stream for a host with other TLS options than its connection is answered with 421; others are served."""
    with secured("exact", "wild", options=BOTH) as (engine, before):
        whole = replaced(before, "listeners.web.protocols", ["http1", "http2"])
        whole["tls_options"]["strict"] = {**whole["tls_options"]["options"], "min_version": "1.3"}
        whole["hosts"]["strict"] = {**whole["hosts"]["host"], "tls_options": "strict"}
        whole["listeners"]["web"]["hosts"]["names"] = [{"name": {"exact": "a.example.org"}, "host": "strict"}]
        engine.apply(whole)
        context = AUTHORITY.trusting()
        context.set_alpn_protocols(["h2"])
        with engine.tls_client(context) as client:
            spoken = Http2(client.socket)
            asked = spoken.begin(spoken.head(authority="a.example.org", scheme="https"))
            assert spoken.answer(asked).status == 421
            assert spoken.ask().status == 200


def test_client_of_the_wild_over_tls() -> None:
    """httpx chooses HTTP/2 by itself."""
    with _both() as engine:
        host, port = engine.tcp()
        transport = httpx.HTTPTransport(verify=AUTHORITY.trusting(), http2=True)
        with httpx.Client(transport=transport) as client:
            extensions = {"sni_hostname": "example.org"}
            answer = client.get(f"https://{host}:{port}/", extensions=extensions)
            assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
