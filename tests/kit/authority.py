"""A certificate authority of the tests' own: roots, and certificates for any names, valid from an hour ago.

authority = Authority()
issued = authority.issue("example.org", "*.example.org")     # issued.chain, issued.key: PEM texts
context = authority.trusting()                               # an SSLContext that believes it and nobody else
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate with what is above it but the root, and its key."""

    names: tuple[str, ...]
    chain: str
    key: str

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.chain.encode()).serial_number

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Writes `NAME.crt` and `NAME.key`; returns both paths."""
        chain, key = folder / f"{name}.crt", folder / f"{name}.key"
        chain.write_text(self.chain)
        key.write_text(self.key)
        return chain, key


class Authority:
    """A root; each is another one."""

    def __init__(self, name: str = "Test Authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._root = (
            _builder(days=3650)
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def root(self) -> str:
        """The root as PEM."""
        return self._root.public_bytes(serialization.Encoding.PEM).decode()

    def issue(
        self, *names: str, kind: str = "P-256", days: float = 30, critical: x509.ExtensionType | None = None
    ) -> Issued:
        """A certificate for these names (addresses too); `kind` is P-256, P-384, RSA-2048 or RSA-4096."""
        key = _new_key(kind)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            _builder(days=days)
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(authority, critical=False)
        )
        if critical is not None:
            builder = builder.add_extension(critical, critical=True)
        certificate = builder.sign(self._key, hashes.SHA256())
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return Issued(names=names, chain=chain, key=text.decode())

    def trusting(self) -> ssl.SSLContext:
        """A client's context that believes this authority only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.root)
        return context


def serving(issued: Issued, folder: Path) -> ssl.SSLContext:
    """A server's context that shows this certificate; its files are written to `folder`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issued.write(folder, "server"))
    return context


def _new_key(kind: str) -> Key:
    match kind:
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "RSA-2048" | "RSA-4096":
            return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("RSA-")))
    raise ValueError(kind)


def _builder(*, days: float) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
