"""Entry points: addresses and policies."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from daemun.traefik.entry_point import REDIRECT_PRIORITY, EntryPoint, ForwardedHeaders, RedirectEntryPoint


@pytest.mark.parametrize(
    ("address", "host", "port", "udp"),
    [
        (":80", "", 80, False),
        ("0.0.0.0:80", "0.0.0.0", 80, False),
        ("[::1]:8080", "::1", 8080, False),
        ("[::]:80/tcp", "::", 80, False),
        (":53/udp", "", 53, True),
        ("localhost:1", "127.0.0.1", 1, False),
        (":0", "", 0, False),
    ],
)
def test_addresses(address: str, host: str, port: int, udp: bool) -> None:  # noqa: FBT001
    """An address is `[host]:port[/protocol]`."""
    entry_point = EntryPoint(address=address)
    assert (entry_point.host, entry_point.port, entry_point.is_udp) == (host, port, udp)


@pytest.mark.parametrize("address", ["80", "", ":", ":99999", ":80/sctp", "example.com:80", "::1:80", ":http"])
def test_refused_addresses(address: str) -> None:
    """What cannot be bound is refused."""
    with pytest.raises(ValidationError):
        EntryPoint(address=address)


def test_defaults_are_traefiks() -> None:
    """The numbers of Traefik's documentation."""
    entry_point = EntryPoint(address=":80")
    timeouts = entry_point.transport.responding_timeouts
    assert (timeouts.read_timeout, timeouts.write_timeout, timeouts.idle_timeout) == (60, 0, 180)
    assert entry_point.transport.life_cycle.grace_time_out == 10
    assert entry_point.http.max_header_bytes == 1_048_576
    assert entry_point.http.sanitize_path
    redirect = RedirectEntryPoint(to="web")
    assert (redirect.scheme, redirect.permanent, redirect.priority) == ("https", True, REDIRECT_PRIORITY)


def test_trusted_ranges_are_checked() -> None:
    """A range that is none is refused."""
    with pytest.raises(ValidationError, match="neither an IP address nor a range"):
        ForwardedHeaders(trustedIPs=("10.0.0",))
