"""Names of certificates: what covers what, and what no authority signs."""

from __future__ import annotations

import pytest

from daemun.acme.names import coverers, is_covered, normal, why_not


@pytest.mark.parametrize(
    ("name", "patterns", "covered"),
    [
        ("a.example.com", {"a.example.com"}, True),
        ("a.example.com", {"*.example.com"}, True),
        ("a.b.example.com", {"*.example.com"}, False),
        ("example.com", {"*.example.com"}, False),
        ("*.example.com", {"*.example.com"}, True),
        ("*.example.com", {"a.example.com"}, False),
        ("*.a.example.com", {"*.example.com"}, False),
        ("a.example.com", {"b.example.com"}, False),
        ("a.example.com", set(), False),
        ("com", {"*."}, False),
    ],
)
def test_covered(name: str, patterns: set[str], *, covered: bool) -> None:
    """A wildcard stands for exactly one label, and for itself."""
    assert is_covered(name, patterns) is covered


def test_coverers() -> None:
    """What is looked for: the name, and the wildcard of its first label."""
    assert coverers("a.b.c") == ("a.b.c", "*.b.c")
    assert coverers("*.b.c") == ("*.b.c",)
    assert coverers("a") == ("a",)


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
