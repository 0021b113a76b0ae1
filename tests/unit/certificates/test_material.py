"""One pair, understood or refused with words that help."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemun.certificates.material import check_roots, parse
from daemun.errors import CertificateError
from tests.kit.authority import Authority

AUTHORITY = Authority("An Authority")
ISSUED = AUTHORITY.issue("Example.org", "*.example.org", "127.0.0.1", "::1")


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_a_pair(kind: str) -> None:
    """Names lower-case, addresses among them, the issuer as people call it; texts as they came."""
    issued = AUTHORITY.issue("Example.org", "*.example.org", "127.0.0.1", "::1", kind=kind)
    material = parse(issued.chain, issued.key)
    assert material.names == ("example.org", "*.example.org", "127.0.0.1", "::1")
    assert material.issuer == "An Authority"
    assert (material.chain, material.key) == (issued.chain, issued.key)
    now = datetime.now(UTC)
    assert material.not_before < now < material.not_after - timedelta(days=29)


def test_the_key_is_not_shown() -> None:
    """Not in a representation, and so in no log."""
    assert ISSUED.key.splitlines()[1] not in repr(parse(ISSUED.chain, ISSUED.key))


def test_a_chain() -> None:
    """What stands behind the certificate does not matter; the certificate comes first."""
    assert parse(ISSUED.chain + AUTHORITY.root, ISSUED.key).names == parse(ISSUED.chain, ISSUED.key).names
    with pytest.raises(CertificateError, match="wrong way round") as refused:
        parse(AUTHORITY.root + ISSUED.chain, ISSUED.key)
    assert "first" in refused.value.remedy


def openssl(folder: Path, *arguments: str) -> str:
    """What OpenSSL makes, in its own words."""
    out = folder / "out.pem"
    subprocess.run(["openssl", *arguments, "-out", str(out)], check=True, capture_output=True, cwd=folder)
    return out.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), "RSA of 1024 bits"),
        (("ecparam", "-name", "secp256k1", "-genkey", "-noout"), "secp256k1"),
        (("genpkey", "-algorithm", "ED448"), "Ed448"),
        (("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), "not the certificate's"),
    ],
)
def test_keys_that_cannot_be_used(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """Too short, of a kind TLS here has not, or of another certificate."""
    with pytest.raises(CertificateError, match=words) as refused:
        parse(ISSUED.chain, openssl(tmp_path, *arguments))
    assert refused.value.remedy


def test_an_encrypted_key(tmp_path: Path) -> None:
    """Nobody is there to type a passphrase."""
    key = openssl(tmp_path, "genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "pass:x")
    with pytest.raises(CertificateError, match="passphrase") as refused:
        parse(ISSUED.chain, key)
    assert "openssl pkey" in refused.value.remedy


@pytest.mark.parametrize(
    ("chain", "key", "words"),
    [
        ("", ISSUED.key, "no certificate where a certificate"),
        (ISSUED.key, ISSUED.key, "a private key where a certificate"),
        (ISSUED.chain, "", "no key where a private key"),
        (ISSUED.chain, ISSUED.chain, "a certificate where a private key"),
        (ISSUED.chain[:200], ISSUED.key, "the certificate cannot be read"),
        (ISSUED.chain.replace("MII", "AAA", 1), ISSUED.key, "the certificate cannot be read"),
        (ISSUED.chain, ISSUED.key[:60], "the key cannot be read"),
        (ISSUED.chain, ISSUED.key.replace("MIG", "AAA", 1), "the key cannot be read"),
    ],
    ids=["nothing", "swapped", "no key", "two certificates", "cut", "damaged", "cut key", "damaged key"],
)
def test_texts_that_cannot_be_used(chain: str, key: str, words: str) -> None:
    """Half-written files and swapped ones are told apart."""
    with pytest.raises(CertificateError, match=words):
        parse(chain, key)


def test_a_common_name_alone(tmp_path: Path) -> None:
    """Old certificates have their name there; words that are no name are none."""
    for subject, names in (("/CN=Old.example", ("old.example",)), ("/CN=My Certificate", ())):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", "key.pem", "-out", "cert.pem", "-subj", subject, "-days", "1"]
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
        assert parse((tmp_path / "cert.pem").read_text(), (tmp_path / "key.pem").read_text()).names == names


def test_roots() -> None:
    """Several stand in one text; a key is none."""
    assert check_roots(AUTHORITY.root + ISSUED.chain) == 2
    with pytest.raises(CertificateError, match="a private key where"):
        check_roots(ISSUED.key)
