"""Private keys and what is made with them: account keys, certificate keys, certificate requests.

Facts: an account key stands in the storage as DER, by Traefik always RSA in PKCS#1; a certificate's key as PEM, in the
traditional form that lego writes. Decisions: account keys made here are RSA too, so that Traefik can take the file
back; others (EC, PKCS#8) are read. RFC 8555 section 11.1: an account key never is a certificate's key.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from josepy.jwa import ES256, ES384, ES512, RS256, JWASignature
from josepy.jwk import JWK, JWKEC, JWKRSA

from daemun.acme.resolver import KeyType
from daemun.errors import CertificateError

AccountKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_ACCOUNT_BITS = 3072
_BITS = {KeyType.RSA2048: 2048, KeyType.RSA4096: 4096, KeyType.RSA8192: 8192}
_LONGEST_COMMON_NAME = 64  # RFC 5280 appendix A.1, ub-common-name


def make_account_key() -> bytes:
    """Return a new account key, DER in PKCS#1. Takes part of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_ACCOUNT_BITS)
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def read_account_key(der: bytes) -> AccountKey:
    """Return the key: PKCS#1, SEC 1 or PKCS#8. Raises CertificateError."""
    try:
        key = load_der_private_key(der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError("the stored account key cannot be read") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CertificateError("the stored account key is neither RSA nor elliptic")
    return key


def signing(key: AccountKey) -> tuple[JWK, JWASignature]:
    """Return the key as JOSE knows it, and its algorithm (RFC 8555 section 6.2)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return JWKRSA(key=key), RS256
    algorithms = {"secp256r1": ES256, "secp384r1": ES384, "secp521r1": ES512}
    return JWKEC(key=key), algorithms[key.curve.name]


def make_key(kind: KeyType) -> str:
    """Return a new certificate key, PEM. Takes seconds for the large kinds; other threads run meanwhile."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind in _BITS:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS[kind])
    else:
        key = ec.generate_private_key(ec.SECP384R1() if kind is KeyType.EC384 else ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def make_request(key: str, names: Sequence[str], *, common_name: bool, emails: Sequence[str]) -> bytes:
    """Return a certificate request (RFC 2986), DER, for these names, signed with the PEM key."""
    private = load_pem_private_key(key.encode(), password=None)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.RFC822Name(email) for email in emails]
    # A main name that is too long for the subject stands among the alternative names alone, as everywhere today.
    with_subject = common_name and len(names[0]) <= _LONGEST_COMMON_NAME
    subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])] if with_subject else []
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(subject))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(private, hashes.SHA256())  # type: ignore[arg-type]
    )
    return request.public_bytes(Encoding.DER)
