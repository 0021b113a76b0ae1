"""Certificate resolvers: their defaults, and those that can never obtain anything."""

from __future__ import annotations

import pytest

from daemun.errors import ConfigError
from daemun.traefik.read import load_static
from daemun.traefik.resolvers import Acme

ENTRY = "[entryPoints.web]\naddress = ':80'\n[providers.file]\nfilename = 'x'\n"


def test_defaults() -> None:
    """Traefik's, but for the kind of key."""
    acme = Acme()
    assert (acme.storage, acme.certificates_duration, acme.key_type) == ("acme.json", 2160, "ec256")
    assert acme.ca_server == "https://acme-v02.api.letsencrypt.org/directory"


def test_a_whole_resolver() -> None:
    """Every option arrives; the secret of the binding is not shown."""
    static, problems = load_static(
        ENTRY
        + """
[certificatesResolvers.le.acme]
email = "a@b.org"
caServer = "https://ca.test/dir"
caCertificates = ["ca.pem"]
storage = "/data/acme.json"
keyType = "RSA4096"
certificatesDuration = 168
preferredChain = "ISRG Root X1"
profile = "shortlived"
caSystemCertPool = true
caServerName = "ca.test"
emailAddresses = ["a@b.org"]
disableCommonName = true
clientTimeout = "1m"
clientResponseHeaderTimeout = "10s"
certificateTimeout = "5s"
[certificatesResolvers.le.acme.eab]
kid = "k"
hmacEncoded = "c2VjcmV0"
[certificatesResolvers.le.acme.httpChallenge]
entryPoint = "web"
[certificatesResolvers.le.acme.tlsChallenge]
"""
    )
    assert problems == []
    acme = static.certificates_resolvers["le"].acme
    assert acme is not None
    assert acme.key_type == "rsa4096"
    assert acme.ca_certificates == ("ca.pem",)
    assert (acme.ca_system_cert_pool, acme.ca_server_name) == (True, "ca.test")
    assert (acme.email_addresses, acme.disable_common_name) == (("a@b.org",), True)
    assert (acme.client_timeout, acme.client_response_header_timeout, acme.certificate_timeout) == (60, 10, 5)
    assert acme.http_challenge is not None
    assert acme.tls_challenge is not None
    assert acme.eab is not None
    assert "c2VjcmV0" not in repr(static)


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("[certificatesResolvers.le.acme]\nemail = 'a'", "has no challenge", "missing"),
        ("[certificatesResolvers.le]", "is of no kind", "missing"),
        ("[certificatesResolvers.le.acme.httpChallenge]", "is missing: no certificate", "missing"),
        ("[certificatesResolvers.le.acme.dnsChallenge]\nprovider = 'x'", "not yet: dnsChallenge", "not_yet"),
        ("[certificatesResolvers.le.tailscale]", "not yet: tailscale", "not_yet"),
    ],
)
def test_what_is_said(text: str, words: str, kind: str) -> None:
    """A resolver that cannot obtain anything is said at its place, and the rest is served."""
    _, [problem] = load_static(ENTRY + text)
    assert words in problem.message
    assert (problem.severity, problem.kind) == ("warning", kind)
    assert problem.place is not None
    assert problem.place.line >= 5


def test_an_unknown_entry_point() -> None:
    """The challenge's entry point must be one."""
    with pytest.raises(ConfigError, match="there is no entry point 'wbe'") as caught:
        load_static(ENTRY + "[certificatesResolvers.le.acme.httpChallenge]\nentryPoint = 'wbe'")
    assert caught.value.problems[0].suggestion == "web"


def test_a_wrong_key_type() -> None:
    """Only the kinds Traefik has."""
    with pytest.raises(ConfigError, match="expected ec256, ec384, rsa2048, rsa4096 or rsa8192"):
        load_static(ENTRY + "[certificatesResolvers.le.acme]\nkeyType = 'EC521'")
