"""Answers to challenges, as the RFCs describe them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwk import JWK

from daemun.acme.challenge import answer, proof_certificate
from daemun.acme.keys import make_account_key, read_account_key, signing

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_answer_with_the_key_of_the_rfc() -> None:
    """RFC 7638 section 3.1 gives a key and its thumbprint; the answer is token, dot, thumbprint (RFC 8555 section 8.1)."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb"
        "9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls"
        "1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = JWK.from_json({"kty": "RSA", "n": modulus, "e": "AQAB"})
    assert isinstance(key, JWK)
    assert answer("token", key) == "token.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_proof_certificate() -> None:
    """RFC 8737 section 3: the one name, and the answer's SHA-256 in a critical extension."""
    chain, key = proof_certificate("a.example.com", "token.thumbprint", NOW)
    certificate = x509.load_pem_x509_certificate(chain.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example.com"]
    extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"))
    assert extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == b"\x04\x20" + hashlib.sha256(b"token.thumbprint").digest()
    assert "PRIVATE KEY" in key
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_account_keys() -> None:
    """An account key is RSA in PKCS#1, which Traefik reads; other kinds are taken and signed with their algorithm."""
    key = read_account_key(make_account_key())
    assert key.key_size == 3072
    assert signing(key)[1].name == "RS256"
    for curve, algorithm in ((ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")):
        jwk, alg = signing(ec.generate_private_key(curve))
        assert alg.name == algorithm
        assert jwk.thumbprint()
