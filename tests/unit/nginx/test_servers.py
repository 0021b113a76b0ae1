"""Servers: names, default servers, and who has which name."""

from __future__ import annotations

import pytest

from daemun.plan.listener import Exact, HostName, NamePattern, Prefix, Regex, Suffix
from tests.kit.nginx_language import draft_of, messages, plan_of


def names_of(server_name: str) -> list[NamePattern]:
    plan = plan_of(f"server {{ listen 80; }} server {{ listen 80; server_name {server_name}; }}")
    [listener] = plan.listeners.values()
    return [one.name for one in listener.hosts.names if one.host != "server"]


@pytest.mark.parametrize(
    ("written", "patterns"),
    [
        ("Example.ORG", [Exact("example.org")]),
        ("*.example.org", [Suffix(".example.org")]),
        (".example.org", [Exact("example.org"), Suffix(".example.org")]),
        ("www.example.*", [Prefix("www.example.")]),
        ("_", [Exact("_")]),
        ("a b", [Exact("a"), Exact("b")]),
    ],
)
def test_names(written: str, patterns: list[NamePattern]) -> None:
    """Exact, both wildcards, the dot that is both, several."""
    assert names_of(written) == patterns


def test_regular_expressions() -> None:
    """They are searched in the name; groups are kept when somebody reads them."""
    [found] = names_of(r'"~^(www|m)\.(.+)$"')
    assert isinstance(found, Regex)
    assert found.pattern.regex == r"^(www|m)\.(.+)$"


@pytest.mark.parametrize("written", ["*", "a.*.b", "*.a.*", "a*.b", "..a", "."])
def test_wildcards_that_are_none(written: str) -> None:
    """A star stands alone at one end."""
    assert messages(f"server {{ listen 80; server_name {written}; }}") == [
        f'invalid server name or wildcard "{written}"'
    ]


def test_default_servers() -> None:
    """The first of an address, or the one that says so, for each address apart."""
    plan = plan_of(
        "server { listen 80; listen 81; server_name a; }server { listen 80 default_server; listen 81; server_name b; }"
    )
    assert {name: one.hosts.default for name, one in plan.listeners.items()} == {"*:80": "b", "*:81": "a"}


def test_names_are_not_tested_for_one_server() -> None:
    """Unless it has groups to fill."""
    assert plan_of("server { listen 80; server_name a; }").listeners["*:80"].hosts.names == ()
    plan = plan_of(r'server { listen 80; server_name "~^(?<who>.+)\.a$"; return 200 $who; }')
    assert len(plan.listeners["*:80"].hosts.names) == 1


def test_a_name_that_another_server_has() -> None:
    """It is ignored with a warning; the same name on another address is not."""
    draft = draft_of("server { listen 80; server_name a b; } server { listen 80; listen 81; server_name b c; }")
    assert [one.message for one in draft.problems] == ['conflicting server name "b" on 0.0.0.0:80, ignored']
    names = draft.whole.listeners["*:80"].hosts.names
    assert names == (
        HostName(name=Exact("a"), host="a"),
        HostName(name=Exact("b"), host="a"),
        HostName(name=Exact("c"), host="b"),
    )


def test_servers_of_one_name_have_ids_of_their_own() -> None:
    """The port 80 and the port 443 of a site are two hosts."""
    plan = plan_of("server { listen 80; server_name a; } server { listen 81; server_name a; }")
    assert list(plan.hosts) == ["a", "a #2"]
