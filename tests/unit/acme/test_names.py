"""Names of certificates: in the form that is ordered, and which no authority signs."""

from __future__ import annotations

import pytest

from daemun.acme.names import normal, why_not


def test_normal() -> None:
    """Case, spaces and the trailing dot make no other name."""
    assert normal(" Example.COM. ") == "example.com"


@pytest.mark.parametrize(
    "name", ["example.com", "*.example.com", "xn--bcher-kva.example", "a_b.example.com", "1.2.example"]
)
def test_fit(name: str) -> None:
    """Names that can be ordered."""
    assert why_not(name) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("10.0.0.1", "address"),
        ("::1", "address"),
        ("localhost", "no public authority"),
        ("app.localhost", "no public authority"),
        ("printer.local", "no public authority"),
        ("gate", "no public authority"),
        ("a.*.example.com", "does not stand alone"),
        ("*.*.example.com", "does not stand alone"),
        ("a b.example.com", "no host name"),
        ("-a.example.com", "no host name"),
        ("a..example.com", "no host name"),
        ("b\u00fccher.example", "no host name"),
        ("a" * 64 + ".example.com", "no host name"),
        (".".join(["abcdefgh"] * 30) + ".com", "no host name"),
    ],
)
def test_unfit(name: str, said: str) -> None:
    """Names that no authority signs, and why."""
    assert said in why_not(name)
