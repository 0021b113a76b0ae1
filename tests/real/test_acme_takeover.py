"""Moving from Traefik: its acme.json is used as it stands, account and certificates, and stays one that it could read."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from daemun.acme.authority import Authority
from daemun.acme.clock import WallClock
from daemun.acme.keys import read_account_key
from daemun.acme.network import Network
from tests.kit.acme import certificates, resolver, wish
from tests.kit.authority import Authority as Signer
from tests.kit.authority import Issued
from tests.kit.pebble import Pebble


@pytest.fixture(scope="module")
def ca() -> Iterator[Pebble]:
    with Pebble() as running:
        yield running


def traefik_account(ca: Pebble) -> dict[str, Any]:
    """An account that Pebble knows, as Traefik keeps it: RSA of 4096 bits in PKCS#1."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    mine, now = resolver(ca), WallClock().now
    network = Network(mine, read_account_key(der), directory=Path("/"), now=now)
    uri, body = Authority(network, ca_server=ca.directory, now=now).register(email="old@example.com", eab=None)
    return {
        "Email": "old@example.com",
        "Registration": {"body": body, "uri": uri},
        "PrivateKey": base64.b64encode(der).decode(),
        "KeyType": "4096",
    }


def traefik_entry(issued: Issued) -> dict[str, Any]:
    key = load_pem_private_key(issued.key.encode(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    main, *sans = issued.names
    return {
        "domain": {"main": main, **({"sans": sans} if sans else {})},
        "certificate": base64.b64encode(issued.chain.encode()).decode(),
        "key": base64.b64encode(pem).decode(),
        "Store": "default",
    }


def test_taken_over(ca: Pebble, tmp_path: Path) -> None:
    """Certificates that are still good are served and not ordered; one that is due is renewed with the account and its key."""
    signer = Signer("Earlier Authority")
    good = signer.issue("good.example.com", "www.good.example.com", days=60)
    due = signer.issue("due.example.com", kind="RSA-2048", days=20)
    account = traefik_account(ca)
    file = tmp_path / "acme.json"
    content = {"le": {"Account": account, "Certificates": [traefik_entry(good), traefik_entry(due)]}}
    file.write_text(json.dumps(content, indent=2))
    file.chmod(0o600)
    accounts, orders = ca.said("accounts in memory"), ca.said("Added order")

    async def scenario() -> None:
        wishes = wish("good.example.com", "www.good.example.com"), wish("due.example.com")
        async with certificates(ca, resolver(ca), *wishes, directory=tmp_path) as run:
            taken = run.found(["www.good.example.com"])
            assert taken is not None
            assert taken.chain == good.chain
            assert run.found(["due.example.com"]) is not None
            await run.later(timedelta(days=19))
            after = await run.until(
                lambda: m if (m := run.found(["due.example.com"])) and m.chain != due.chain else None,
                what="the renewal",
            )
            assert after.not_after - run.clock.now() > timedelta(days=70)
            key = load_pem_private_key(after.key.encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            assert key.private_numbers() == load_pem_private_key(due.key.encode(), None).private_numbers()  # type: ignore[union-attr]
        assert ca.said("accounts in memory") == accounts
        assert ca.said("Added order") == orders + 1

    asyncio.run(scenario())
    left = json.loads(file.read_text())
    assert left["le"]["Account"] == account
    assert left["le"]["Certificates"][0] == traefik_entry(good)
    renewed = left["le"]["Certificates"][1]
    assert renewed["domain"] == {"main": "due.example.com"}
    assert b"RSA PRIVATE KEY" in base64.b64decode(renewed["key"])


def test_as_traefik_would_read_ours(ca: Pebble, tmp_path: Path) -> None:
    """What Traefik asks of the file: an account key in PKCS#1, chain and key that belong together, in the forms it reads."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "ours.example.com", directory=tmp_path) as run:
            await run.certificate("ours.example.com")

    asyncio.run(scenario())
    member = json.loads((tmp_path / "acme.json").read_text())["le"]
    der = base64.b64decode(member["Account"]["PrivateKey"], validate=True)
    account = load_der_private_key(der, None)
    assert isinstance(account, rsa.RSAPrivateKey)
    assert account.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()) == der
    (entry,) = member["Certificates"]
    chain = x509.load_pem_x509_certificates(base64.b64decode(entry["certificate"], validate=True))
    pem = base64.b64decode(entry["key"], validate=True)
    assert pem.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == chain[0].public_key()
    assert len(chain) == 2
