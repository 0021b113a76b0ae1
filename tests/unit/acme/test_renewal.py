"""When a certificate is renewed: drawn from the authority's window, or by what is left of its life."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from daemun.acme.inquiry import answered, first, unanswered
from daemun.acme.journal import Renewal
from daemun.acme.renewal import ask_again, by_lifetime, by_window, identifier, suggested
from daemun.acme.resolver import Resolver
from daemun.certificates.material import Material

BORN = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RESOLVER = Resolver(name="le", ca_server="https://ca.example/dir", storage="acme.json")


def material(life: timedelta = 90 * DAY, chain: str = "") -> Material:
    return Material(chain=chain, key="", names=("a.com",), not_before=BORN, not_after=BORN + life, issuer="")


def certificate(serial: int, key_identifier: bytes | None) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(BORN)
        .not_valid_after(BORN + DAY)
    )
    if key_identifier is not None:
        extension = x509.AuthorityKeyIdentifier(key_identifier, None, None)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_identifier_of_the_rfc() -> None:
    """The example of RFC 9773 section 4.1: the serial's first bit is set, so DER has a zero octet before it."""
    key_identifier = bytes.fromhex("69885b6b87464041e1b37b847bd0ae2cde01c8d4")
    chain = certificate(0x87654321, key_identifier)
    assert identifier(material(chain=chain)) == "aYhba4dGQEHhs3uEe9CuLN4ByNQ.AIdlQyE"


@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, 0xFF, 0x100, 2**63 - 1, 2**127 + 1, 2**158 - 1])
def test_identifier_has_the_octets_of_der(serial: int) -> None:
    """Any serial is written as in the certificate itself."""
    named = identifier(material(chain=certificate(serial, b"\x01" * 20)))
    octets = base64.urlsafe_b64decode(named.partition(".")[2] + "==")
    assert int.from_bytes(octets, signed=True) == serial
    assert len(octets) == 1 or octets[0] or octets[1] & 0x80


def test_no_identifier() -> None:
    """A certificate that does not name its authority's key has none, and the authority is not asked."""
    chain = certificate(1, None)
    assert identifier(material(chain=chain)) == ""
    assert first("", material(), RESOLVER, now=BORN, draw=lambda: 0.0).ask_at is None


@pytest.mark.parametrize(
    ("life", "left", "stretch"),
    [
        (400 * DAY, 120 * DAY, 7 * DAY),
        (365 * DAY, 120 * DAY, 7 * DAY),
        (90 * DAY, 30 * DAY, DAY),
        (90 * DAY - timedelta(seconds=1), 30 * DAY, DAY),
        (89 * DAY, 10 * DAY, 12 * HOUR),
        (45 * DAY, 10 * DAY, 12 * HOUR),
        (30 * DAY, 10 * DAY, 12 * HOUR),
        (7 * DAY, 2 * DAY, 2 * HOUR),
        (6 * DAY, 2 * DAY, 2 * HOUR),
        (DAY, 6 * HOUR, 10 * MINUTE),
        (2 * HOUR, 20 * MINUTE, MINUTE),
        (30 * MINUTE, 10 * MINUTE, MINUTE),
        (4 * MINUTE, 80 * timedelta(seconds=1), 20 * timedelta(seconds=1)),
    ],
)
def test_by_lifetime(life: timedelta, left: timedelta, stretch: timedelta) -> None:
    """Traefik's table: so much before the end, somewhere in the stretch of one of its looks."""
    for drawn, moment in ((0.0, -left), (1.0, stretch - left)):
        renewal = by_lifetime("x", material(life), duration=9000 * DAY, ask_at=None, draw=lambda drawn=drawn: drawn)  # type: ignore[misc]
        assert abs(renewal.moment - (BORN + life + moment)) <= timedelta(seconds=1)
        assert renewal.window is None


def test_the_shorter_duration_counts() -> None:
    """certificatesDuration says less than the certificate lives: its line of the table is taken."""
    renewal = by_lifetime("x", material(90 * DAY), duration=720 * HOUR, ask_at=None, draw=lambda: 0.0)
    assert renewal.moment == BORN + 80 * DAY


def information(start: datetime, end: datetime, **more: str) -> dict[str, Any]:
    return {"suggestedWindow": {"start": start.isoformat(), "end": end.isoformat()}, **more}


def test_window() -> None:
    """A window and its page are read; one that ends after the certificate is cut."""
    start, end = BORN + 60 * DAY, BORN + 62 * DAY
    assert suggested(information(start, end), material()) == ((start, end), "")
    page = "https://ca.example/why"
    assert suggested(information(start, end, explanationURL=page), material()) == ((start, end), page)
    assert suggested(information(start, BORN + 99 * DAY), material()) == ((start, BORN + 90 * DAY), "")
    zulu = {"suggestedWindow": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-04T00:00:00.123Z"}}
    found = suggested(zulu, material())
    assert found is not None
    assert found[0][0] == BORN + 60 * DAY


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"suggestedWindow": None},
        {"suggestedWindow": {"start": "2026-03-02T00:00:00Z"}},
        {"suggestedWindow": {"start": 1, "end": 2}},
        {"suggestedWindow": {"start": "soon", "end": "later"}},
        information(BORN + 2 * DAY, BORN + DAY),
        information(BORN + DAY, BORN + DAY),
        information(BORN + 90 * DAY, BORN + 91 * DAY),
    ],
)
def test_no_window(given: dict[str, Any]) -> None:
    """What cannot be a window is none."""
    assert suggested(given, material()) is None


def test_drawn_once_from_the_window() -> None:
    """The moment lies evenly in the window, stays while the window stays, and is drawn again when it moves."""
    window = (BORN + 60 * DAY, BORN + 62 * DAY)
    draws = iter([0.0, 0.25, 0.99])
    one = by_window("x", window, page="", before=None, ask_at=BORN, draw=lambda: next(draws))
    assert one.moment == window[0]
    again = by_window("x", window, page="p", before=one, ask_at=BORN + DAY, draw=lambda: next(draws))
    assert (again.moment, again.ask_at, again.explanation) == (one.moment, BORN + DAY, "p")
    moved = (BORN + 10 * DAY, BORN + 14 * DAY)
    other = by_window("x", moved, page="", before=again, ask_at=BORN, draw=lambda: next(draws))
    assert other.moment == BORN + 11 * DAY
    of_another = by_window("y", moved, page="", before=other, ask_at=BORN, draw=lambda: next(draws))
    assert of_another.moment != other.moment


def test_ask_again() -> None:
    """Retry-After within reason: not within a minute, not later than a day; six hours when nothing is said."""
    assert ask_again(None, BORN) == BORN + 6 * HOUR
    assert ask_again(BORN + 2 * HOUR, BORN) == BORN + 2 * HOUR
    assert ask_again(BORN, BORN) == BORN + MINUTE
    assert ask_again(BORN + 300 * DAY, BORN) == BORN + DAY


def test_answers() -> None:
    """An answer without window leaves what was by lifetime, takes back what was by a window; no answer leaves both."""
    by_life = first("x", material(), RESOLVER, now=BORN, draw=lambda: 0.5)
    assert by_life.ask_at == BORN
    start, end = BORN + 3 * DAY, BORN + 4 * DAY
    ari = answered(by_life, (information(start, end), BORN + HOUR), material(), RESOLVER, now=BORN, draw=lambda: 0.5)
    assert (ari.moment, ari.ask_at, ari.window) == (start + 12 * HOUR, BORN + HOUR, (start, end))
    lost = answered(ari, ({}, None), material(), RESOLVER, now=BORN, draw=lambda: 0.5)
    assert (lost.moment, lost.window, lost.ask_at) == (by_life.moment, None, BORN + 6 * HOUR)
    without = answered(by_life, None, material(), RESOLVER, now=BORN, draw=lambda: 0.0)
    assert (without.moment, without.ask_at) == (by_life.moment, BORN + DAY)
    silent = unanswered(ari, now=BORN, retry_at=None)
    assert silent == Renewal(certificate="x", moment=ari.moment, window=ari.window, ask_at=BORN + HOUR)
    assert unanswered(ari, now=BORN, retry_at=BORN + 5 * HOUR).ask_at == BORN + 5 * HOUR
