"""Names of hosts: local or public, covered or not."""

from __future__ import annotations

import pytest

from daemun.config.local_names import address_of, coverers, is_covered, is_local, is_name


@pytest.mark.parametrize(
    "name",
    ["localhost", "app.localhost", "*.localhost", "nas", "a.test", "printer.local", "x.home.arpa", "db.internal",
     "127.0.0.1", "::1", "[::1]", "10.1.2.3", "192.168.0.9", "fe80::1", "fd00::1"],
)  # fmt: skip
def test_local(name: str) -> None:
    """No public authority signs these."""
    assert is_local(name)


@pytest.mark.parametrize(
    "name",
    ["example.org", "*.example.org", "notlocalhost.org", "test.com", "8.8.8.8", "2606:4700::1111", "0.0.0.0", "*",
     "*.nas", "", "a b", "-x", "x" * 64, "224.0.0.1"],
)  # fmt: skip
def test_not_local(name: str) -> None:
    """These a public authority may sign, or they are no names."""
    assert not is_local(name)


def test_names() -> None:
    """Labels of letters, digits, - and _, 253 characters in all."""
    assert is_name("a-b_c.d1")
    assert not is_name(".".join(["a" * 60] * 5))
    assert not is_name("a..b")


def test_addresses() -> None:
    """With or without brackets."""
    assert str(address_of("[::1]")) == "::1"
    assert address_of("a") is None


@pytest.mark.parametrize(
    ("name", "by", "covered"),
    [
        ("a.org", ("a.org",), True),
        ("b.a.org", ("a.org", "*.a.org"), True),
        ("c.b.a.org", ("*.a.org",), False),
        ("a.org", ("*.a.org",), False),
        ("*.a.org", ("*.a.org",), True),
        ("a.org", (), False),
    ],
)
def test_covered(name: str, by: tuple[str, ...], covered: bool) -> None:  # noqa: FBT001
    """A wildcard covers one label."""
    assert is_covered(name, by) is covered


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
def test_covered_in_a_set(name: str, patterns: set[str], *, covered: bool) -> None:
    """A wildcard stands for exactly one label, and for itself."""
    assert is_covered(name, patterns) is covered


def test_coverers() -> None:
    """What is looked for: the name, and the wildcard of its first label."""
    assert coverers("a.b.c") == ("a.b.c", "*.b.c")
    assert coverers("*.b.c") == ("*.b.c",)
    assert coverers("a") == ("a",)
