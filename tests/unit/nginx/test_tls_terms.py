"""The terms of a handshake, and which certificate goes where."""

from __future__ import annotations

import pytest

from daemun.nginx.lower import Draft
from daemun.plan.tls import TlsVersion
from tests.kit.nginx_language import ACME, draft_of, messages, plan_of

PAIR = "ssl_certificate a.crt; ssl_certificate_key a.key;"


def secured(more: str) -> str:
    return f"server {{ listen 443 ssl; {PAIR} {more} }}"


def test_defaults() -> None:
    """TLS 1.2 and 1.3, HTTP/1.1 only, tickets, the library's suites."""
    [options] = plan_of(secured("")).tls_options.values()
    assert (options.min_version, options.max_version, options.alpn) == (TlsVersion.V12, TlsVersion.V13, ("http/1.1",))
    assert (options.cipher_suites, options.groups, options.session_tickets, options.reject) == ((), (), True, False)


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [("TLSv1.3", "1.3", "1.3"), ("TLSv1.2", "1.2", "1.2"), ("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "1.2", "1.3")],
)
def test_versions(written: str, least: str, most: str) -> None:
    """Those there are; older ones are left out with a warning."""
    draft = draft_of(secured(f"ssl_protocols {written};"))
    [options] = draft.whole.tls_options.values()
    assert (options.min_version, options.max_version) == (least, most)
    assert len(draft.problems) == (2 if "TLSv1 " in written else 0)


def test_suites() -> None:
    """OpenSSL's names are translated; a keyword leaves the choice to the library."""
    named = plan_of(secured("ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256;"))
    [options] = named.tls_options.values()
    assert options.cipher_suites[-1] == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert len(options.cipher_suites) == 4
    [options] = plan_of(secured("ssl_ciphers HIGH:!aNULL:!MD5;")).tls_options.values()
    assert options.cipher_suites == ()


def test_servers_of_one_address() -> None:
    """Each shows its own certificate on its own terms; one that says nothing has those of the address."""
    plan = plan_of(
        f"server {{ listen 443 ssl; server_name a; {PAIR} }}"
        "server { listen 443 ssl; server_name b; ssl_certificate b.crt; ssl_certificate_key b.key; http2 on; }"
        f"server {{ listen 443 ssl; server_name c; {PAIR} ssl_session_tickets off; }}"
    )
    tls = plan.listeners["*:443"].tls
    assert tls is not None
    a, b, c = (plan.hosts[name] for name in "abc")
    assert (tls.default_certificate, tls.certificates) == (a.certificates[0], a.certificates)
    assert a.certificates != b.certificates
    assert a.tls_options is None
    # HTTP/2 is spoken on the whole address.
    assert plan.tls_options[tls.options].alpn == ("h2", "http/1.1")
    assert c.tls_options is not None
    assert not plan.tls_options[c.tls_options].session_tickets


def test_two_pairs() -> None:
    """RSA and ECDSA of one server, in order."""
    plan = plan_of(secured("ssl_certificate b.crt; ssl_certificate_key b.key;"))
    [host] = plan.hosts.values()
    assert len(host.certificates) == 2


def wishes(draft: Draft) -> list[tuple[str, ...]]:
    return [wish.names for wish in draft.needs.wishes]


def test_certificates_that_are_obtained() -> None:
    """For the exact names of servers with ssl that name none: by the command line, or by a directive."""
    text = "server { listen 443 ssl; server_name a.org www.a.org *.b.org _ ~^x; }"
    draft = draft_of(text, acme=ACME)
    assert wishes(draft) == [("a.org", "www.a.org")]
    assert next(iter(draft.whole.tls_options.values())).alpn == ("http/1.1", "acme-tls/1")
    said = draft_of(f"daemun_certificate x@y.org server=https://ca/dir names=c.org; {text}")
    assert wishes(said) == [("c.org",)]
    [resolver] = said.resolvers.values()
    assert (resolver.email, resolver.server) == ("x@y.org", "https://ca/dir")
    local = draft_of("daemun_certificate local; server { listen 443 ssl; server_name nas a.org; }")
    assert local.needs.local == ("nas",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server { listen 443 ssl; }", 'no "ssl_certificate" is defined for the "listen ... ssl" directive'),
        (secured("ssl_protocols SSLv3;"), "nothing is left of ssl_protocols"),
        (secured("ssl_protocols TLS1.3;"), 'invalid value "TLS1.3"'),
        (secured("ssl_ciphers DHE-RSA-AES128-SHA;"), "nothing is left of ssl_ciphers: none of these is there"),
        (secured("ssl_verify_client on;"), '"ssl_verify_client" is not supported'),
        ("daemun_certificate nobody; server { listen 443 ssl; }", '"nobody" is no address of an account'),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    """Each is said."""
    assert messages(text) == [message]


def test_handshakes_that_are_refused() -> None:
    """`ssl_reject_handshake` needs no certificate."""
    [options] = plan_of("server { listen 443 ssl; ssl_reject_handshake on; }").tls_options.values()
    assert options.reject
