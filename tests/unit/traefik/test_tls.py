"""The models of everything named `tls`."""

from __future__ import annotations

import pytest

from daemun.needs import is_pem
from daemun.traefik.read import load_dynamic_text
from daemun.traefik.tls import ALPN_DEFAULT, Domain, TlsOptions


@pytest.mark.parametrize(("written", "on"), [("{}", True), ("true", True), ("'true'", True), ("false", False)])
def test_a_switch(written: str, on: bool) -> None:  # noqa: FBT001
    """`tls: {}` switches TLS on, and so does `true`."""
    text = f"http: {{routers: {{r: {{rule: Path(`/`), service: s, tls: {written}}}}}}}"
    dynamic, problems = load_dynamic_text(text, file="d.yml")
    assert problems == []
    assert (dynamic.routers["r@file"].value.tls is not None) is on


def test_defaults() -> None:
    """What Traefik's options are when nothing is said."""
    options = TlsOptions()
    assert options.alpn_protocols == ALPN_DEFAULT == ("h2", "http/1.1", "acme-tls/1")
    assert not options.sni_strict
    assert not options.client_auth.wanted
    assert not options.disable_session_tickets


def test_domains() -> None:
    """The main name first, each once, lower-case, without a dot at the end."""
    assert Domain(main="A.org", sans=("b.org.", "a.org")).names == ("a.org", "b.org")
    assert Domain(sans=("b.org",)).names == ("b.org",)


def test_the_whole_section() -> None:
    """Certificates, options and stores are read, each by itself: a broken one does not stop the others."""
    dynamic, problems = load_dynamic_text(
        """
tls:
  certificates:
    - {certFile: a.crt, keyFile: a.key, stores: [default]}
    - {certFile: b.crt}
  options:
    default: {minVersion: VersionTLS13, clientAuth: {caFiles: [ca.pem], clientAuthType: RequireAndVerifyClientCert}}
    strict: {sniStrct: true}
  stores:
    default:
      defaultGeneratedCert: {resolver: le, domain: {main: a.org, sans: [b.org]}}
""",
        file="d.yml",
    )
    assert [one.value.cert_file for one in dynamic.tls_certificates] == ["a.crt"]
    assert list(dynamic.tls_options) == ["default"]
    assert dynamic.tls_options["default"].value.client_auth.wanted
    assert ("TLS options", "strict@file") in dynamic.broken
    generated = dynamic.tls_stores["default"].value.default_generated_cert
    assert generated is not None
    assert generated.domain.names == ("a.org", "b.org")
    assert [str(problem.place) for problem in problems] == ["d.yml:5:7", "d.yml:8:14"]
    assert problems[1].suggestion == "sniStrict"


def test_a_key_is_not_shown() -> None:
    """A key that stands in a file as text is in no representation of its pair."""
    pem = "-----BEGIN PRIVATE KEY-----\\nsecret\\n-----END PRIVATE KEY-----"
    dynamic, _ = load_dynamic_text(f'tls: {{certificates: [{{certFile: "a", keyFile: "{pem}"}}]}}', file="d.yml")
    assert is_pem(dynamic.tls_certificates[0].value.key_file)
    assert "secret" not in repr(dynamic)
