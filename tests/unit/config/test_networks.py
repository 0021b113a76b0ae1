"""Addresses and ranges."""

from __future__ import annotations

import pytest

from daemun.config.networks import is_network


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.1.2.3/8", "10.1.2.3", "::1", "::/0", "fd00::/8"])
def test_accepted(text: str) -> None:
    """An address, or one with a number of bits; host bits do not matter."""
    assert is_network(text)


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "fe80::1%eth0", "a", "1.2.3.4/", "/8"]
)
def test_refused(text: str) -> None:
    """No netmasks, no zones, no names."""
    assert not is_network(text)
