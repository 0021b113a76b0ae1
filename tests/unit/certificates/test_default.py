"""The certificate of last resort."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from daemun.certificates.default import default_certificate


def test_it_is_nobodys() -> None:
    """Self-signed, called so, for a year, another one each time."""
    now = datetime.now(UTC)
    one, two = default_certificate(now=now), default_certificate(now=now)
    assert one.issuer == "DAEMUN DEFAULT CERT"
    assert one.names != two.names
    assert [name.endswith(".daemun.invalid") for name in one.names] == [True]
    assert one.not_after - now > timedelta(days=364)
    certificate = x509.load_pem_x509_certificate(one.chain.encode())
    assert certificate.subject == certificate.issuer
