"""How a name is proven: the answer that the authority fetches, and where it is put.

Facts: an answer is `token.thumbprint of the account key` (RFC 8555 section 8.1). HTTP-01 (section 8.3) reads it at
`/.well-known/acme-challenge/TOKEN`. TLS-ALPN-01 (RFC 8737 section 3) opens TLS with the ALPN `acme-tls/1` alone and the
name as SNI, and reads the answer's SHA-256 from a critical extension of a self-signed certificate of that one name.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from josepy.jwk import JWK

HTTP = "http-01"
TLS = "tls-alpn-01"
ALPN = "acme-tls/1"
PATH = "/.well-known/acme-challenge/"

_ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_OCTET_STRING = b"\x04\x20"  # DER, 32 octets


class Challenges(Protocol):
    """How answers reach the authority; the border to the control application and to the engine."""

    @property
    def tokens(self) -> MutableMapping[str, str]:
        """Token to answer: what is answered below `PATH`."""
        ...

    async def put(self, name: str, chain: str, key: str) -> None:
        """Show this certificate to handshakes for the name whose only ALPN is `acme-tls/1`."""
        ...

    async def drop(self, name: str) -> None:
        """Show it no longer."""
        ...


def answer(token: str, account_key: JWK) -> str:
    """Return the key authorization of a token."""
    thumbprint = base64.urlsafe_b64encode(account_key.thumbprint()).decode().rstrip("=")
    return f"{token}.{thumbprint}"


def proof_certificate(name: str, text: str, now: datetime) -> tuple[str, str]:
    """Return the certificate, and its key, both PEM, that shows an answer to TLS-ALPN-01."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ACME challenge")])
    digest = _OCTET_STRING + hashlib.sha256(text.encode()).digest()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.UnrecognizedExtension(_ACME_IDENTIFIER, digest), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), private.decode()
