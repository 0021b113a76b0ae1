"""Whose TLS a router has, and which hosts its rule asks for."""

from __future__ import annotations

import pytest

from daemun.plan.origin import Origin
from daemun.traefik.dynamic import Router
from daemun.traefik.entry_point import EntryPoint, EntryPointHttp
from daemun.traefik.lower_listeners import Gate
from daemun.traefik.router_tls import host_names, tls_of
from daemun.traefik.rules import parse_rule
from daemun.traefik.tls import Tls


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("Host(`A.org`) && PathPrefix(`/x`)", ("a.org",)),
        ("Host(`a`) || (Host(`b.`) && Host(`a`))", ("a", "b")),
        ("HostRegexp(`^a$`) || Path(`/`)", ()),
        ("Host(`a`) && !Host(`b`)", ("a",)),
        ("!(!Host(`a`) || Host(`b`))", ("a",)),
        ("Host(`*.a.org`)", ("*.a.org",)),
    ],
)
def test_hosts(rule: str, names: tuple[str, ...]) -> None:
    """In order, each once; no patterns, nothing behind an odd number of `!`."""
    assert host_names(parse_rule(rule)) == names


def test_whose() -> None:
    """The router's own, else the entry point's: all of it or nothing."""
    own, other = Tls(options="own"), Tls(options="other", cert_resolver="le")
    gate = Gate(
        name="web",
        entry_point=EntryPoint(address=":80", http=EntryPointHttp(tls=other)),
        origin=Origin(name="web", file="", line=0),
    )
    assert tls_of(Router(rule="Path(`/`)", tls=own), gate) == own
    assert tls_of(Router(rule="Path(`/`)"), gate) == other
