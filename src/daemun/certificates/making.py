"""The parts of certificates that we make ourselves: a key, names, dates, PEM texts.

Facts (RFC 5280): serial numbers are positive, 20 octets at most, and unpredictable here; dates to the second. Used by
default.py and local.py, which decide what is made. Everything is P-256 and SHA-256.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from daemun.config.local_names import address_of

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

# A client's clock may be behind ours.
_SLACK = timedelta(hours=1)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def begin(subject: str, issuer: x509.Name | None, *, now: datetime, days: int) -> x509.CertificateBuilder:
    """Return a certificate's beginning: who (self-signed without an issuer), and from an hour ago for some days."""
    from cryptography import x509

    name = common_name(subject)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer if issuer is not None else name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
    )


def common_name(text: str) -> x509.Name:
    """Return a name that says only what people call it; 64 characters at most (RFC 5280, appendix A)."""
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])])


def alternative_names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    """Return the names that a certificate serves, addresses as addresses."""
    from cryptography import x509

    return x509.SubjectAlternativeName(
        [x509.DNSName(name) if (address := address_of(name)) is None else x509.IPAddress(address) for name in names]
    )


def server_usage(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    """Add what says that a certificate is a server's and signs no others."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def usage(*, digital_signature: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    """Return what a key is for."""
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def networks(*texts: str) -> list[x509.GeneralName]:
    """Return ranges of addresses as names."""
    from cryptography import x509

    return [x509.IPAddress(ipaddress.ip_network(text)) for text in texts]


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as text."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a key as text, not encrypted."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
