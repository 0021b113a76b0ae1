"""Which certificate and which terms a name gets, by the language's files: routers, options, stores."""

from __future__ import annotations

import ssl

import pytest

from tests.kit.secured import shown
from tests.kit.tls_files import AUTHORITY, served
from tests.kit.wire import Client

EXACT, WILD = AUTHORITY.issue("example.org", "strict.org", "old.org"), AUTHORITY.issue("*.example.org")
ROUTERS = """
    a: {rule: 'Host(`example.org`) || Host(`a.example.org`)', service: app}
    s: {rule: 'Host(`strict.org`)', service: app, tls: {options: strict}}
    o: {rule: 'Host(`old.org`)', service: app, tls: {options: old}}
"""
OPTIONS = """
  options:
    strict: {minVersion: VersionTLS13, sniStrict: true}
    old: {maxVersion: VersionTLS12, cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], curvePreferences: [CurveP384]}
---
"""


def handshake_fails(connect: object, context: ssl.SSLContext, name: str) -> None:
    with pytest.raises(ssl.SSLError):
        connect(context, name)  # type: ignore[operator]


def test_the_choice_of_a_certificate() -> None:
    """Exact before wildcard."""
    with served(OPTIONS + ROUTERS, wild=WILD, exact=EXACT) as (instance, _):
        for name, issued in (("example.org", EXACT), ("a.example.org", WILD)):
            with instance.secure(AUTHORITY.trusting(), name) as client:
                assert shown(client) == issued.serial
                assert client.request(host=name).status == 200


def test_options_by_name() -> None:
    """Each host has the terms of its router: versions, suites and curves."""
    with served(OPTIONS + ROUTERS, exact=EXACT) as (instance, _):
        with instance.secure(AUTHORITY.trusting(), "strict.org") as client:
            assert client.tls.version() == "TLSv1.3"
        with instance.secure(AUTHORITY.trusting(), "old.org") as client:
            assert client.tls.version() == "TLSv1.2"
            assert client.tls.cipher() == ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2", 128)
        context = AUTHORITY.trusting()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        handshake_fails(instance.secure, context, "strict.org")
        with instance.secure(context, "example.org") as client:
            assert client.tls.version() == "TLSv1.2"
        context.set_ecdh_curve("prime256v1")
        handshake_fails(instance.secure, context, "old.org")


def test_misdirected() -> None:
    """A request for a host of other terms than the connection's is answered 421, either way; of the same it is served."""
    with served(OPTIONS + ROUTERS, exact=EXACT, wild=WILD) as (instance, _):
        with instance.secure(AUTHORITY.trusting(), "example.org") as client:
            assert client.request(host="a.example.org").status == 200
            response = client.request(host="strict.org")
            assert (response.status, response.body) == (421, b"Misdirected Request\n")
        with instance.secure(AUTHORITY.trusting(), "strict.org") as client:
            assert client.request(host="example.org").status == 421
            assert client.request(host="strict.org:443").status == 200


def test_sni_strict_by_default() -> None:
    """Options named `default` are everybody's: without a certificate for the name the handshake ends."""
    context = AUTHORITY.trusting()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with served(f"  options: {{default: {{sniStrict: true}}}}\n---\n{ROUTERS.splitlines()[1]}\n", exact=EXACT) as (
        instance,
        _,
    ):
        handshake_fails(instance.secure, context, "unknown.org")
        with instance.secure(context, "example.org") as client:
            assert client.request().status == 200


def test_certificates_of_clients_come_later() -> None:
    """A host that asks for them is refused, never served without; its neighbour is served."""
    options = "  options: {mtls: {clientAuth: {caFiles: [ca.pem], clientAuthType: RequireAndVerifyClientCert}}}\n---\n"
    routers = ROUTERS.splitlines()[1] + "\n    m: {rule: 'Host(`strict.org`)', service: app, tls: {options: mtls}}\n"
    with served(options + routers, exact=EXACT, wild=WILD) as (instance, plane):
        handshake_fails(instance.secure, AUTHORITY.trusting(), "strict.org")
        with instance.secure(AUTHORITY.trusting(), "example.org") as client:
            assert client.request().status == 200
        assert "certificates of clients come later" in plane.log


def test_plain_and_tls() -> None:
    """Both are spoken on an address with TLS; a router with `tls` answers over TLS only, one without in clear text only."""
    routers = """
    t: {rule: 'Host(`example.org`)', service: app, entryPoints: [plain], tls: {}}
    p: {rule: 'Host(`a.example.org`)', service: app, entryPoints: [plain]}
"""
    with served(routers, exact=EXACT, wild=WILD) as (instance, _):
        with instance.secure(AUTHORITY.trusting(), "example.org", "plain") as client:
            assert client.request().status == 200
            assert client.request(host="a.example.org").status == 404
        with Client(instance.address("plain")) as client:
            assert client.request().status == 404
            assert client.request(host="a.example.org").status == 200


def test_redirected_to_tls() -> None:
    """Clear text is sent to the entry point with TLS: 301 for GET, 308 for POST."""
    static = """
[entryPoints.plain]
address = "127.0.0.1:0"
[entryPoints.plain.http.redirections.entryPoint]
to = "web"
[entryPoints.web]
address = "127.0.0.1:0"
[entryPoints.web.http.tls]
[providers.file]
filename = "dynamic.yml"
"""
    with served(ROUTERS.splitlines()[1] + "\n", static=static, exact=EXACT) as (instance, _):
        with Client(instance.address("plain")) as client:
            for method, status in (("GET", 301), ("POST", 308)):
                response = client.request(method, "/x?y=1")
                assert response.status == status
                assert (response.get("location") or "").startswith("https://example.org")
        with instance.secure(AUTHORITY.trusting(), "example.org") as client:
            assert client.request().status == 200
