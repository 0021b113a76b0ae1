"""Fault answers: Traefik's words."""

from __future__ import annotations

import pytest

from daemun.plan.fault import FaultKind
from daemun.plan.template import Literal
from daemun.traefik.faults import traefik_faults


def test_every_fault_has_an_answer() -> None:
    """The engine refuses a Plan that leaves one out."""
    assert list(traefik_faults()) == list(FaultKind)


@pytest.mark.parametrize(
    ("kind", "status", "text", "nosniff"),
    [
        (FaultKind.NO_ROUTE, 404, "404 page not found\n", True),
        (FaultKind.NO_ENDPOINT, 503, "no available server\n", True),
        (FaultKind.CONNECT_FAILED, 502, "Bad Gateway", False),
        (FaultKind.UPSTREAM_CLOSED, 502, "Bad Gateway", False),
        (FaultKind.UPSTREAM_INVALID, 502, "Bad Gateway", False),
        (FaultKind.CONNECT_TIMEOUT, 504, "Gateway Timeout", False),
        (FaultKind.RESPONSE_TIMEOUT, 504, "Gateway Timeout", False),
        (FaultKind.CLIENT_GONE, 499, "Client Closed Request", False),
        (FaultKind.INTERNAL, 500, "Internal Server Error", False),
        (FaultKind.MISDIRECTED, 421, "Misdirected Request\n", True),
        (FaultKind.BAD_REQUEST, 400, "400 Bad Request", False),
        (FaultKind.HEAD_TOO_LARGE, 431, "431 Request Header Fields Too Large", False),
        (FaultKind.NOT_IMPLEMENTED, 501, "501 Not Implemented", False),
    ],
)
def test_words(kind: FaultKind, status: int, text: str, nosniff: bool) -> None:  # noqa: FBT001
    """Status, text and fields are what Traefik's users see."""
    answer = traefik_faults()[kind]
    assert (answer.status, answer.body) == (status, (Literal(text),))
    names = [field.name for field in answer.headers]
    assert ("X-Content-Type-Options" in names) is nosniff


def test_unreadable_requests_close() -> None:
    """After what cannot be read, the connection ends."""
    answers = traefik_faults()
    assert answers[FaultKind.BAD_REQUEST].close
    assert answers[FaultKind.HEAD_TIMEOUT].close
    assert not answers[FaultKind.NO_ROUTE].close
