"""Certificates from a real authority: the ways to prove a name, accounts, chains, many names at once."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from daemun.acme.order import topmost_issuer
from daemun.acme.resolver import Eab, KeyType
from tests.kit.acme import Counted, Run, certificates, resolver, wish
from tests.kit.pebble import Pebble

KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


@pytest.fixture(scope="module")
def ca() -> Iterator[Pebble]:
    with Pebble() as running:
        yield running


def stored(run: Run) -> dict[str, dict[str, object]]:
    found = json.loads((run.directory / "acme.json").read_text())
    assert isinstance(found, dict)
    return found


def test_http(ca: Pebble) -> None:
    """HTTP-01: the certificate has the names, its chain leads to the authority's root, and all of it is stored 0600."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), wish("a.example.com", "b.example.com")) as run:
            material = await run.certificate("a.example.com", "b.example.com")
            chain = x509.load_pem_x509_certificates(material.chain.encode())
            root = x509.load_pem_x509_certificate(ca.roots()[0].encode())
            chain[0].verify_directly_issued_by(chain[1])
            chain[1].verify_directly_issued_by(root)
            assert isinstance(load_pem_private_key(material.key.encode(), None), ec.EllipticCurvePrivateKey)
            member = stored(run)["le"]
            assert member["Certificates"][0]["domain"] == {"main": "a.example.com", "sans": ["b.example.com"]}  # type: ignore[index]
            assert stat.S_IMODE((run.directory / "acme.json").stat().st_mode) == 0o600
            assert dict(run.answers.tokens) == {}, "answers are taken down"
            await run.until(lambda: run.changes == 1, what="the change told, once")

    asyncio.run(scenario())


def test_tls_alpn(ca: Pebble) -> None:
    """TLS-ALPN-01: the authority takes our certificate with the answer in it; nothing is asked at port 80."""

    async def scenario() -> None:
        with_tls = resolver(ca, http_entry_point=None, tls_challenge=True)
        async with certificates(ca, with_tls, wish("c.example.com", "d.example.com")) as run:
            await run.certificate("c.example.com", "d.example.com")
            assert {"c.example.com", "d.example.com"} == set(run.answers.put_names)
            assert run.answers.shown == {}
            assert isinstance(run.answers.tokens, Counted)
            assert run.answers.tokens.most == 0

    asyncio.run(scenario())


def test_account_as_traefik_keeps_it(ca: Pebble) -> None:
    """The account stands in acme.json as Traefik writes it: email, registration, an RSA key in PKCS#1."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "e.example.com") as run:
            await run.certificate("e.example.com")
            account = stored(run)["le"]["Account"]
            assert isinstance(account, dict)
            assert list(account) == ["Email", "Registration", "PrivateKey"]
            assert account["Email"] == "who@example.com"
            registration = account["Registration"]
            assert registration["body"] == {"status": "valid", "contact": ["mailto:who@example.com"]}
            assert registration["uri"].startswith(f"https://localhost:{ca.port}/")
            from base64 import b64decode

            assert isinstance(load_der_private_key(b64decode(account["PrivateKey"]), None), rsa.RSAPrivateKey)

    asyncio.run(scenario())


@pytest.mark.parametrize(("kind", "what"), [(KeyType.EC384, "secp384r1"), (KeyType.RSA2048, 2048)])
def test_key_types(ca: Pebble, kind: KeyType, what: str | int) -> None:
    """keyType decides the key of the certificate."""

    async def scenario() -> None:
        name = f"{kind.lower()}.example.com"
        async with certificates(ca, resolver(ca, key_type=kind), name) as run:
            key = load_pem_private_key((await run.certificate(name)).key.encode(), None)
            assert (key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey) else key.key_size) == what  # type: ignore[union-attr]

    asyncio.run(scenario())


def test_external_account() -> None:
    """An authority that wants an account of its own gets eab's; without, it is said which options to set."""
    config = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": KEY}}

    async def scenario(ca: Pebble) -> None:
        bound = resolver(ca, name="bound", eab=Eab(kid="kid-1", hmac=KEY))
        wrong = resolver(ca, name="wrong", eab=Eab(kid="kid-2", hmac=KEY))
        wishes = [wish(f"{name}.example.com", resolver=name) for name in ("bound", "wrong", "without")]
        async with certificates(ca, [bound, wrong, resolver(ca, name="without")], *wishes) as run:
            await run.certificate("bound.example.com")
            await run.until(lambda: sum(bool(row["trouble"]) for row in run.rows()) == 2, what="two failures")
            rows = {row["resolver"]: row for row in run.rows()}
            assert rows["bound"]["trouble"] is None
            assert "externalAccountBinding" in rows["without"]["trouble"]["message"]
            assert "eab.kid and eab.hmacEncoded" in rows["without"]["trouble"]["advice"]
            assert rows["wrong"]["trouble"]["tries"] == 1

    with Pebble(config=config) as ca:
        asyncio.run(scenario(ca))


def test_profile() -> None:
    """The profile is the one that was asked for, and one that the authority does not have is said to be the cause."""
    profiles = {
        "classic": {"description": "ninety days", "validityPeriod": 7776000},
        "shortlived": {"description": "six days", "validityPeriod": 518400},
    }

    async def scenario(ca: Pebble) -> None:
        six, odd = resolver(ca, name="six", profile="shortlived"), resolver(ca, name="odd", profile="odd")
        wishes = wish("six.example.com", resolver="six"), wish("odd.example.com", resolver="odd")
        async with certificates(ca, [six, odd], *wishes) as run:
            material = await run.certificate("six.example.com")
            assert round((material.not_after - material.not_before).total_seconds()) in {518399, 518400}
            trouble = await run.until(run.trouble, what="the failure")
            assert "profile" in trouble["advice"]
            assert '"odd"' in trouble["message"]

    with Pebble(config={"profiles": profiles}) as ca:
        asyncio.run(scenario(ca))


def test_preferred_chain() -> None:
    """Of several chains the one whose topmost issuer has the preferred name is taken; with no such, the first."""

    async def scenario(ca: Pebble) -> None:
        roots = [x509.load_pem_x509_certificate(pem.encode()) for pem in ca.roots(3)]
        names = [str(root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value) for root in roots]
        assert len(set(names)) == 3
        for number, preferred in enumerate([*names, "no such root"]):
            mine = resolver(ca, preferred_chain=preferred)
            async with certificates(ca, mine, f"chain{number}.example.com") as run:
                material = await run.certificate(f"chain{number}.example.com")
                expected = preferred if preferred in names else names[0]
                assert topmost_issuer(material.chain) == expected

    with Pebble(env={"PEBBLE_ALTERNATE_ROOTS": "2"}) as ca:
        asyncio.run(scenario(ca))


def test_two_resolvers_in_one_file(ca: Pebble) -> None:
    """Resolvers stand side by side in one file, each with its account; the certificate of one is nothing to the other."""

    async def scenario() -> None:
        both = resolver(ca, name="one"), resolver(ca, name="two", email="other@example.com")
        wishes = wish("same.example.com", resolver="one"), wish("same.example.com", resolver="two")
        async with certificates(ca, both, *wishes) as run:
            await run.until(lambda: len(run.materials()) == 2, what="two certificates")
            assert set(run.materials()) == {"acme:one:same.example.com", "acme:two:same.example.com"}
            content = stored(run)
            accounts = {name: content[name]["Account"] for name in ("one", "two")}
            assert accounts["one"]["PrivateKey"] != accounts["two"]["PrivateKey"]  # type: ignore[index]
            assert accounts["two"]["Email"] == "other@example.com"  # type: ignore[index]

    asyncio.run(scenario())


def test_covered_names_are_not_ordered(ca: Pebble) -> None:
    """A name that another certificate serves is left out of the order; a set that is served whole is not ordered."""

    async def scenario() -> None:
        wishes = wish("x.example.org", "y.example.net"), wish("z.example.org"), wish("w.example.net")
        async with certificates(ca, resolver(ca), *wishes, covered={"*.example.org", "w.example.net"}) as run:
            material = await run.certificate("y.example.net")
            assert material.names == ("y.example.net",)
            assert [row["names"] for row in run.rows()] == [["y.example.net"]]

    asyncio.run(scenario())


def test_fifty_names_at_once(ca: Pebble) -> None:
    """Fifty routers with a name each get fifty certificates, at most four orders at a time."""

    async def scenario() -> None:
        names = [f"n{number}.many.example.com" for number in range(50)]
        async with certificates(ca, resolver(ca), *names) as run:
            await run.until(lambda: len(run.materials()) == 50, what="fifty certificates")
            assert isinstance(run.answers.tokens, Counted)
            # An order may have an answer of its own look ahead beside the authority's.
            assert run.answers.tokens.most <= 8

    asyncio.run(scenario())


def test_restart_orders_nothing(ca: Pebble) -> None:
    """What is stored is there before anything is asked, and nothing is ordered again."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "again.example.com") as first:
            before = await first.certificate("again.example.com")
            orders = ca.said("Added order")
            content = (first.directory / "acme.json").read_bytes()
            async with certificates(
                ca, resolver(ca), "again.example.com", directory=first.directory, serve=False
            ) as second:
                assert second.found(["again.example.com"]) == before
                await second.until(lambda: second.rows()[0]["renewal_by"] == "ari", what="the renewal")
            assert ca.said("Added order") == orders
            assert (first.directory / "acme.json").read_bytes() == content

    asyncio.run(scenario())
