"""One certificate with its chain and key, understood: names, dates, issuer.

Facts (RFC 5280, RFC 6125): the names are the subject alternative names; Traefik also takes a common name that looks
like one. Decisions: a pair is judged whole before anything uses it: the key must be the certificate's, and of a kind
the engine signs with (RSA from 2048 bits, P-256, P-384, P-521, Ed25519). Dates are not judged: an expired certificate
is better than none, and whoever hands it on says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from daemun.errors import CertificateError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_LEAST_RSA, _MOST_RSA = 2048, 8192
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_KINDS = "RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A certificate and its key as PEM texts, and what they say. The dates are aware (UTC)."""

    chain: str
    key: str = field(repr=False)
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    issuer: str


def parse(chain: str, key: str) -> Material:
    """Understand a chain (the certificate first) and its key, both PEM. Raises CertificateError."""
    leaf = _first(chain)
    _check_key(_read_key(key), leaf)
    return Material(
        chain=chain,
        key=key,
        names=_names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        issuer=_shown(leaf.issuer),
    )


def opened(key: str, passwords: Sequence[str]) -> str:
    """Return a key without its password, which is one of these; one that has none as it is. Raises CertificateError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    if "ENCRYPTED" not in key:
        return key
    for password in passwords:
        try:
            found = load_pem_private_key(key.encode(), password=password.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return found.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    raise CertificateError("no password of the file opens the key", remedy="it has one password a line")


def check_roots(text: str) -> int:
    """Return how many certificates stand in a PEM text of roots. Raises CertificateError when there is none."""
    return len(_certificates(text))


def _first(chain: str) -> x509.Certificate:
    certificates = _certificates(chain)
    leaf = certificates[0]
    if len(certificates) > 1 and leaf.issuer != certificates[1].subject and certificates[-1].issuer == leaf.subject:
        raise CertificateError(
            "the chain stands the wrong way round",
            remedy="put the certificate itself first, then whoever signed it",
        )
    return leaf


def _certificates(text: str) -> list[x509.Certificate]:
    from cryptography import x509

    if "-----BEGIN CERTIFICATE-----" not in text:
        found = "a private key" if "PRIVATE KEY-----" in text else "no certificate"
        raise CertificateError(
            f"there is {found} where a certificate in PEM is meant", remedy="it begins with -----BEGIN CERTIFICATE-----"
        )
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except (ValueError, x509.InvalidVersion) as error:
        raise CertificateError(f"the certificate cannot be read: {_reason(error)}") from None


def _read_key(text: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if "PRIVATE KEY-----" not in text:
        found = "a certificate" if "-----BEGIN CERTIFICATE-----" in text else "no key"
        raise CertificateError(
            f"there is {found} where a private key in PEM is meant",
            remedy="it begins with -----BEGIN PRIVATE KEY----- (or EC or RSA PRIVATE KEY)",
        )
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise CertificateError(
            "the key is encrypted with a passphrase", remedy="write it without one: openssl pkey -in KEY -out NEW"
        ) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"the key cannot be read: {_reason(error)}") from None


def _check_key(key: PrivateKeyTypes, leaf: x509.Certificate) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, rsa.RSAPrivateKey):
        usable = _LEAST_RSA <= key.key_size <= _MOST_RSA
        kind = f"RSA of {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        usable = key.curve.name in _CURVES
        kind = f"on the curve {key.curve.name}"
    else:
        usable = isinstance(key, ed25519.Ed25519PrivateKey)
        kind = type(key).__name__.lstrip("_").removesuffix("PrivateKey")
    if not usable:
        raise CertificateError(f"the key is {kind}, which TLS here cannot use", remedy=f"use {_KINDS}")
    how = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        same = key.public_key().public_bytes(*how) == leaf.public_key().public_bytes(*how)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"the certificate's key cannot be read: {_reason(error)}") from None
    if not same:
        raise CertificateError(
            "the key is not the certificate's", remedy="the two files belong to different certificates, or one is older"
        )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return every name the certificate serves, lower-case, each once: alternative names, then the common name."""
    from cryptography import x509

    names: list[str] = []
    try:
        stated = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += [name.lower() for name in stated.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in stated.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        pass
    except ValueError as error:
        raise CertificateError(f"the certificate's names cannot be read: {_reason(error)}") from None
    for attribute in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
        common = str(attribute.value).lower()
        if _NAME.fullmatch(common):
            names.append(common)
    return tuple(dict.fromkeys(names))


def _shown(name: x509.Name) -> str:
    """Return an issuer as people call it: common name and organisation, else everything."""
    from cryptography import x509

    parts = [
        str(attribute.value)
        for kind in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME)
        for attribute in name.get_attributes_for_oid(kind)[:1]
    ]
    return ", ".join(parts) or name.rfc4514_string()


def _reason(error: Exception) -> str:
    """Return the first line of what a library says, without advice for programmers."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
