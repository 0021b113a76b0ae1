"""What an authority says, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from daemun.acme.refusal import PREFIX, Refusal, from_document, refusal, retry_at, said_of, understood
from daemun.acme.store import StorageError
from daemun.errors import CertificateError, EngineError, Place

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def document(kind: str, detail: str, name: str = "") -> dict[str, object]:
    whole: dict[str, object] = {"type": PREFIX + kind, "detail": detail}
    return {**whole, "identifier": {"type": "dns", "value": name}} if name else whole


def test_a_problem_document() -> None:
    """The detail, the name it is about, and the kind; advice names the same."""
    found = from_document(document("caa", "CAA record forbids  it.\n", "a.com"))
    assert found.message == "the authority says about a.com: CAA record forbids it (caa)"
    assert found.advice == "add a CAA record for a.com that names this authority, or remove the CAA records"
    assert str(found) == found.message


def test_subproblems() -> None:
    """Each subproblem is said; the compound error above them says nothing of its own."""
    whole = {
        **document("compound", "several"),
        "subproblems": [document("dns", "no address", "a.com"), document("connection", "refused", "b.com")],
    }
    found = from_document(whole)
    assert found.message == (
        "the authority says about a.com: no address (dns); the authority says about b.com: refused (connection)"
    )
    assert "b.com be reached" in found.advice
    assert found.kind == "dns"


@pytest.mark.parametrize(("challenge", "port"), [("http-01", "80"), ("tls-alpn-01", "443")])
def test_the_port_of_the_challenge(challenge: str, port: str) -> None:
    """Advice names the port at which the name is proven."""
    said = said_of(document("connection", "Connection refused"), name="a.com", challenge=challenge)
    assert f"let port {port} of a.com be reached" in Refusal(said).advice


@pytest.mark.parametrize("odd", [{}, {"type": None}, {"type": "about:blank", "title": "Gone"}, {"detail": 7}])
def test_odd_documents(odd: dict[str, object]) -> None:
    """A document that says little is still said."""
    assert from_document(odd).message.startswith("the authority says: ")


def test_rate_limit_in_words() -> None:
    """Let's Encrypt writes the moment into the text as well; a Retry-After field comes first."""
    text = "too many certificates already issued, retry after 2026-01-03 04:05:06 UTC: see https://ca.example"
    found = from_document(document("rateLimited", text))
    assert found.retry_at == datetime(2026, 1, 3, 4, 5, 6, tzinfo=UTC)
    assert from_document(document("rateLimited", text), retry_at=NOW).retry_at == NOW
    assert from_document(document("rateLimited", "slow down")).retry_at is None


def test_retry_after() -> None:
    """Seconds or a date; what is neither is not there."""
    assert retry_at("120", NOW) == NOW + timedelta(minutes=2)
    assert retry_at(format_datetime(NOW + timedelta(hours=1), usegmt=True), NOW) == NOW + timedelta(hours=1)
    assert retry_at("9" * 40, NOW) is not None
    for odd in (None, "", "soon", "-5", "1.5"):
        assert retry_at(odd, NOW) is None


def test_whose_fault() -> None:
    """An authority that is out of order is waited for; everything else is somebody's to mend."""
    assert refusal("unreachable", "x").is_ours_to_wait
    assert refusal("serverInternal", "x").is_ours_to_wait
    assert not refusal("dns", "x").is_ours_to_wait
    assert not refusal("rateLimited", "x").is_ours_to_wait


def test_other_errors(tmp_path: Path) -> None:
    """Whatever an order meets becomes a refusal with a reason."""
    place = Place(file=str(tmp_path / "acme.json"), line=3, column=4)
    storage = understood(StorageError("it is damaged", place=place, remedy="repair it"))
    assert storage.message == f"{place}: it is damaged; repair it"
    assert understood(OSError(28, "No space left on device")).message.endswith("No space left on device")
    assert understood(CertificateError("no key")).message == "no key"
    assert understood(ZeroDivisionError("x")).kind == "fault"
    gone = understood(EngineError("the connection ended"))
    assert gone.message == "the engine cannot show the answer to the authority: the connection ended"
    assert gone.is_ours_to_wait
    one = refusal("dns", "x")
    assert understood(one) is one
