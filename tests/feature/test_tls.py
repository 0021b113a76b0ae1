"""TLS towards clients: which certificate and which terms a handshake gets."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.kit.authority import Issued
from tests.kit.control import Refused
from tests.kit.origin import Origin
from tests.kit.plans import access_log, replaced, tls_options
from tests.kit.secured import AUTHORITY, EXACT, OTHER, RSA, WILD, secured, shown, unverified
from tests.kit.waiting import until


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_request_over_tls(version: ssl.TLSVersion) -> None:
    """A request in either version; the origin is told that it came over https."""
    with secured() as (engine, _), Origin() as echo:
        engine.apply(replaced(_, "services.app.kind.balanced.endpoints.0.address", echo.address))
        context = AUTHORITY.trusting()
        context.minimum_version = context.maximum_version = version
        with engine.tls_client(context) as client:
            for _turn in range(3):
                response = client.request()
                assert response.status == 200
                assert '"https"' in response.text
                assert '"443"' in response.text
            assert client.tls.selected_alpn_protocol() is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.org", EXACT),
        ("EXAMPLE.org", EXACT),
        ("a.example.org", WILD),
        ("other.test", OTHER),
        ("unknown.test", OTHER),
        ("b.a.example.org", OTHER),
        (None, OTHER),
    ],
)
def test_certificate_by_name(name: str | None, expected: Issued) -> None:
    """Exact before wildcard, a wildcard for one label, else the default one."""
    with (
        secured("wild", "exact", "other", tls_fields={"default": "other"}) as (engine, _),
        engine.tls_client(unverified(), name) as client,
    ):
        assert shown(client) == expected.serial


def test_certificate_the_client_can_verify() -> None:
    """Of two certificates with one name the first whose key the client knows."""
    with secured("exact", "rsa") as (engine, _):
        context = AUTHORITY.trusting()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for ciphers, expected in (("ECDHE-RSA-AES128-GCM-SHA256", RSA), ("ECDHE-ECDSA-AES128-GCM-SHA256", EXACT)):
            context.set_ciphers(ciphers)
            with engine.tls_client(context) as client:
                assert shown(client) == expected.serial


def test_strict_names() -> None:
    """With `sni_strict` a name without a certificate ends the handshake, and so does none."""
    with secured("exact", options={"sni_strict": True}, tls_fields={"default": "other"}) as (engine, _):
        for name in ("unknown.test", None):
            with pytest.raises(ssl.SSLError):
                engine.tls_client(unverified(), name)
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.request().status == 200
        assert until(lambda: engine.stats()["handshakes"]["failed"] == 2, what="the failed handshakes")


def test_no_certificate_at_all() -> None:
    """A listener without a default certificate refuses other names, and goes on."""
    with secured("exact") as (engine, _):
        with pytest.raises(ssl.SSLError):
            engine.tls_client(unverified(), "unknown.test")
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.request().status == 200


def test_rejected_handshakes() -> None:
    """`reject` refuses every handshake (nginx's ssl_reject_handshake)."""
    with (
        secured("exact", options={"reject": True}) as (engine, _),
        pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"),
    ):
        engine.tls_client(unverified())


@pytest.mark.parametrize(("lowest", "highest", "spoken"), [("1.3", "1.3", "TLSv1.3"), ("1.2", "1.2", "TLSv1.2")])
def test_versions(lowest: str, highest: str, spoken: str) -> None:
    """Only what the options allow is spoken."""
    with secured(options={"min_version": lowest, "max_version": highest}) as (engine, _):
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.tls.version() == spoken
        context = AUTHORITY.trusting()
        if spoken == "TLSv1.3":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        with pytest.raises(ssl.SSLError):
            engine.tls_client(context)


def test_cipher_suites_in_order() -> None:
    """The Plan's suites and no others, the Plan's order before the client's."""
    suites = ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
    with secured(options={"cipher_suites": suites, "max_version": "1.2"}) as (engine, _):
        context = AUTHORITY.trusting()
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305")
        with engine.tls_client(context) as client:
            cipher = client.tls.cipher()
            assert cipher
            assert cipher[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        with pytest.raises(ssl.SSLError):
            engine.tls_client(context)


@pytest.mark.parametrize(
    ("field", "value"),
    [("cipher_suites", ["TLS_RSA_WITH_RC4_128_MD5"]), ("groups", ["secp521r1"]), ("min_version", "1.3")],
)
def test_what_cannot_be_offered_is_refused(field: str, value: Any) -> None:
    """A suite or group this engine does not have, and no version at all, are refused by name; the old Plan goes on."""
    with secured() as (engine, whole):
        changed = replaced(whole, f"tls_options.options.{field}", value)
        if field == "min_version":
            changed = replaced(changed, "tls_options.options.max_version", "1.2")
        with pytest.raises(Refused) as refused:
            engine.apply(changed)
        assert "options" in (refused.value.where or "")
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.request().status == 200


def test_groups() -> None:
    """A client that has none of the Plan's groups is refused: OpenSSL without post-quantum groups by one that is only that."""
    with secured(options={"groups": ["x25519", "secp256r1"]}) as (engine, whole):
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.request().status == 200
        engine.apply(replaced(whole, "tls_options.options.groups", ["secp384r1"]))
        context = AUTHORITY.trusting()
        context.set_ecdh_curve("prime256v1")
        with pytest.raises(ssl.SSLError):
            engine.tls_client(context)
        context.set_ecdh_curve("secp384r1")
        with engine.tls_client(context) as client:
            assert client.request().status == 200


def test_alpn() -> None:
    """The Plan's protocols are agreed upon; a client that offers only others is refused (RFC 7301 section 3.2)."""
    with secured() as (engine, _):
        context = AUTHORITY.trusting()
        context.set_alpn_protocols(["spdy/3", "http/1.1"])
        with engine.tls_client(context) as client:
            assert client.tls.selected_alpn_protocol() == "http/1.1"
        context.set_alpn_protocols(["spdy/3"])
        with pytest.raises(ssl.SSLError):
            engine.tls_client(context)


def test_swapped_certificate() -> None:
    """A certificate put under its name is shown to the next handshake; who is connected stays; an older one is refused."""
    with secured() as (engine, _), engine.tls_client(AUTHORITY.trusting()) as before:
        assert shown(before) == EXACT.serial
        new = AUTHORITY.issue("example.org")
        newest = max(engine.stats()["certificates"].values()) + 1
        engine.put("exact", new, generation=newest)
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert shown(client) == new.serial
        with pytest.raises(Refused) as refused:
            engine.put("exact", EXACT, generation=newest - 1)
        assert refused.value.kind == "stale"
        engine.put("exact", EXACT, generation=newest)
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert shown(client) == new.serial, "the same generation changes nothing"
        assert before.request().status == 200


def test_broken_certificates_are_refused() -> None:
    """No PEM, no key, another's key: each is said, and the old certificate stays."""
    with secured() as (engine, _), engine.control() as control:
        for chain, key in (("no PEM", EXACT.key), (EXACT.chain, "no PEM"), (EXACT.chain, OTHER.key), ("", "")):
            with pytest.raises(Refused) as refused:
                control.call("put_certificate", name="exact", generation=2**60, chain=chain, key=key)
            assert refused.value.kind == "bad_certificate"
            assert "PRIVATE" not in refused.value.message
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert shown(client) == EXACT.serial


def test_absent_certificate_is_refused() -> None:
    """A Plan that names a certificate nobody handed over is refused; what no Plan names is dropped."""
    with secured() as (engine, whole):
        engine.put("spare", OTHER, generation=1)
        assert "spare" in engine.stats()["certificates"]
        engine.apply(whole)
        assert "spare" not in engine.stats()["certificates"]
        changed = replaced(whole, "listeners.web.tls.certificates", ["exact", "spare"])
        changed["certificates"]["spare"] = changed["certificates"]["exact"]
        with pytest.raises(Refused) as refused:
            engine.apply(changed)
        assert refused.value.kind == "bad_reference"


def test_routes_by_tls() -> None:
    """The matcher `tls` tells connections apart."""
    rules = [{"match": {"tls": True}, "route": "app"}]
    with secured(rules=rules) as (engine, _):
        with engine.client() as client:
            assert client.request().status == 404
        with engine.tls_client(AUTHORITY.trusting()) as client:
            assert client.request().status == 200


def test_options_by_name_and_misdirected_requests() -> None:
    """A host's own options count for its name; a request for it on a connection with other options is answered with 421."""
    with secured("exact", "wild") as (engine, whole):
        whole["tls_options"]["strict"] = tls_options(min_version="1.3")
        whole["hosts"]["strict"] = {**whole["hosts"]["host"], "tls_options": "strict"}
        whole["listeners"]["web"]["hosts"]["names"] = [{"name": {"exact": "a.example.org"}, "host": "strict"}]
        engine.apply(whole)
        old = AUTHORITY.trusting()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            engine.tls_client(old, "a.example.org")
        with engine.tls_client(old) as client:
            assert client.request().status == 200
            assert client.request(host="a.example.org").status == 421
            assert client.request().status == 200
        with engine.tls_client(AUTHORITY.trusting(), "a.example.org") as client:
            assert client.request(host="a.example.org").status == 200
            assert client.request(host="example.org").status == 421


def test_certificates_of_a_host() -> None:
    """A host with certificates of its own shows them whatever names they have (nginx asks the server)."""
    with secured("exact", "other") as (engine, whole):
        whole["hosts"]["own"] = {**whole["hosts"]["host"], "certificates": ["other"]}
        whole["listeners"]["web"]["hosts"]["names"] = [{"name": {"exact": "example.org"}, "host": "own"}]
        engine.apply(whole)
        with engine.tls_client(unverified()) as client:
            assert shown(client) == OTHER.serial
            assert client.request().status == 200


def test_log_fields(tmp_path: Path) -> None:
    """The access log knows version, cipher suite and name."""
    path = tmp_path / "access.log"
    sink = {"file": {"path": str(path), "mode": 0o600}}
    fields = [(name, f"tls_{name}", "text") for name in ("version", "cipher", "server_name")]
    with secured(logs={"access": access_log(sink, fields)}) as (engine, _):
        with engine.tls_client(AUTHORITY.trusting()) as client:
            client.request()
        line = until(lambda: path.read_text() if path.exists() else "", what="the line")
        assert line.strip() == '{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384","server_name":"example.org"}'
