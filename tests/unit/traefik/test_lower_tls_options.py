"""`tls.options` to terms: what the engine has, what it has not, and what breaks the options."""

from __future__ import annotations

import pytest

from daemun.errors import Problem
from daemun.plan.tls import TlsOptions, TlsVersion
from daemun.traefik.lower_filters import Refusal
from daemun.traefik.lower_tls_options import Terms, lower_terms, refuse_all
from daemun.traefik.read import load_dynamic_text
from daemun.traefik.tls_names import MISSING_SUITES, SUITE_ALIASES, SUITES_12, SUITES_13

V12, V13 = TlsVersion.V12, TlsVersion.V13


def terms_of(options: str, *, challenges: bool = False) -> Terms:
    dynamic, _ = load_dynamic_text(f"tls:\n  options:\n    o: {options}\n", file="d.yml")
    return lower_terms(dynamic, challenges=challenges)


def lowered(options: str) -> tuple[TlsOptions, tuple[Problem, ...]]:
    terms = terms_of(options)
    return terms.options["o@file"], terms.problems


def test_the_default() -> None:
    """Nothing said: 1.2 and 1.3, the library's suites and groups, tickets, Traefik's protocols."""
    made, problems = lowered("{}")
    assert problems == ()
    assert made == TlsOptions(
        min_version=V12,
        max_version=V13,
        cipher_suites=(),
        groups=(),
        alpn=("h2", "http/1.1", "acme-tls/1"),
        sni_strict=False,
        reject=False,
        session_tickets=True,
        client_auth=None,
    )
    assert terms_of("{}").options["default"] == made


def test_every_option() -> None:
    """Each arrives."""
    made, problems = lowered(
        "{minVersion: VersionTLS13, sniStrict: true, alpnProtocols: [http/1.1], disableSessionTickets: true,"
        " curvePreferences: [CurveP384, X25519MLKEM768, x25519, secp256r1]}"
    )
    assert problems == ()
    assert (made.min_version, made.max_version) == (V13, V13)
    assert (made.sni_strict, made.session_tickets, made.alpn) == (True, False, ("http/1.1",))
    assert made.groups == ("secp384r1", "X25519MLKEM768", "x25519", "secp256r1")


def test_challenges_keep_their_protocol() -> None:
    """TLS-ALPN-01 works whatever protocols are listed; it is not listed twice."""
    terms = terms_of("{alpnProtocols: [http/1.1]}", challenges=True)
    assert terms.options["o@file"].alpn == ("http/1.1", "acme-tls/1")
    assert terms.options["default"].alpn.count("acme-tls/1") == 1


def test_suites() -> None:
    """Those of 1.3 cannot be switched off; the engine's order, aliases resolved."""
    made, problems = lowered(
        "{cipherSuites: [TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]}"
    )
    assert problems == ()
    assert made.cipher_suites == (*SUITES_13, SUITES_12[1], SUITES_12[5])
    made, _ = lowered("{maxVersion: VersionTLS12, cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}")
    assert made.cipher_suites == (SUITES_12[4],)


def test_only_suites_of_13() -> None:
    """Go serves 1.2 with nothing then; here it is not offered."""
    made, problems = lowered("{cipherSuites: [TLS_AES_128_GCM_SHA256]}")
    assert problems == ()
    assert (made.min_version, made.cipher_suites) == (V13, SUITES_13)


def test_every_name_traefik_knows() -> None:
    """28 names: 11 are there, each other one is left out with its place."""
    known = [*SUITES_13, *SUITES_12, *SUITE_ALIASES, *MISSING_SUITES]
    assert len(known) == len(set(known)) == 28
    made, problems = lowered(f"{{cipherSuites: [{', '.join(known)}]}}")
    assert set(made.cipher_suites) == {*SUITES_13, *SUITES_12}
    assert [problem.message.split()[0] for problem in problems] == list(MISSING_SUITES)
    assert {problem.severity for problem in problems} == {"warning"}


def test_the_place_of_a_missing_name() -> None:
    """The caret stands under the name that is left out."""
    _, [problem] = lowered("{curvePreferences: [X25519, CurveP521]}")
    assert problem.place is not None
    assert problem.place.source[problem.place.column - 1 :].startswith("CurveP521]")
    assert problem.message == "CurveP521 is not there and left out"


@pytest.mark.parametrize("version", ["VersionTLS10", "VersionTLS11"])
def test_below_12(version: str) -> None:
    """1.2 is served, and it is said."""
    made, [problem] = lowered(f"{{minVersion: {version}}}")
    assert made.min_version == V12
    assert problem.severity == "warning"
    assert f"{version} is not there" in problem.message
    assert str(problem.place) == "d.yml:3:21"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{maxVersion: VersionTLS11}", "nothing would be served"),
        ("{minVersion: VersionTLS13, maxVersion: VersionTLS12}", "is below minVersion"),
        ("{minVersion: '1.2'}", "write VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13"),
        ("{cipherSuites: [TLS_RSA_WITH_AES_128_CBC_SHA]}", "nothing is left of cipherSuites"),
        ("{cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265]}", "cipherSuites cannot be"),
        ("{maxVersion: VersionTLS12, cipherSuites: [TLS_AES_128_GCM_SHA256]}", "none of the cipherSuites is one of TLS 1.2"),
        ("{curvePreferences: [CurveP521]}", "nothing is left of curvePreferences"),
        ("{curvePreferences: [P256]}", "curvePreferences cannot be 'P256'"),
    ],
)  # fmt: skip
def test_broken_options(options: str, words: str) -> None:
    """They refuse every handshake: never are they served with something else."""
    terms = terms_of(options)
    assert terms.options["o@file"] == refuse_all()
    assert isinstance(terms.resolve("o", "file"), Refusal)
    errors = [problem for problem in terms.problems if problem.is_error]
    assert [words in problem.message for problem in errors] == [True]
    assert errors[0].place is not None
    assert errors[0].place.line == 3


def test_the_nearest_name() -> None:
    """A misspelt name is told the right one."""
    _, [problem] = lowered("{cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265]}")
    assert problem.suggestion == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"


def test_options_that_were_not_read() -> None:
    """Options with an error in them exist, and refuse."""
    terms = terms_of("{sniStrict: maybe}")
    refusal = terms.resolve("o", "file")
    assert isinstance(refusal, Refusal)
    assert "errors of their own" in refusal.message
    assert terms.options["o@file"].reject


def test_certificates_of_clients_come_later() -> None:
    """Serving without them would let everybody in: handshakes are refused."""
    terms = terms_of("{clientAuth: {caFiles: [ca.pem]}}")
    [problem] = terms.problems
    assert (problem.severity, problem.kind) == ("warning", "not_yet")
    refusal = terms.resolve("o", "file")
    assert isinstance(refusal, Refusal)
    assert refusal.later
    assert terms.options["o@file"].reject
    assert not terms_of("{clientAuth: {clientAuthType: NoClientCert}}").problems


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("", "default"), ("default", "default"), ("o", "o@file"), ("o@file", "o@file")],
)
def test_references(reference: str, expected: str) -> None:
    """`default` has no provider, others have theirs."""
    assert terms_of("{}").resolve(reference, "file") == expected


@pytest.mark.parametrize(("reference", "suggestion"), [("O2", "o"), ("defualt", "default"), ("o@docker", "o")])
def test_unknown_references(reference: str, suggestion: str) -> None:
    """They are refused, with the nearest name."""
    refusal = terms_of("{}").resolve(reference, "file")
    assert isinstance(refusal, Refusal)
    assert refusal.suggestion == suggestion
