"""The access phase becomes a filter Access."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.access import access
from daemun.plan.filter import Access, Address, AddressRule, Basic, Satisfy, Subrequest
from daemun.plan.plan import from_json
from daemun.plan.route import Uri
from daemun.plan.script import Equals, Not
from daemun.plan.template import Literal
from tests.kit.nginx_parts import Parts, parts, scene

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def admission(text: str) -> tuple[Access | None, Parts]:
    made = parts(text)
    name = access(made.http, made.making, scene())
    found = made.making.filters[name] if name else None
    assert found is None or isinstance(found, Access)
    return found, made


def test_the_golden_access() -> None:
    """Addresses, a sub-request, what it leaves behind, any of them."""
    made = parts((GOLDEN / "auth-request.conf").read_text())
    plan = from_json((GOLDEN / "auth-request.json").read_bytes())
    name = access(made.at("server", "location /private/"), made.making, scene("/private/"))
    assert name == "/private/ access"
    assert made.making.filters[name] == plan.filters[name]
    assert tuple(made.making.slots) == plan.slots
    assert access(made.at("server", "location = /auth"), made.making, scene("/auth")) is None


def test_rules_stand_in_their_order() -> None:
    """`allow` and `deny` are one list, and a level with one of them has none of those above."""
    made = parts(
        "deny 10.0.0.1; allow 10.0.0.0/8; allow unix:; deny all; server { location / { allow 2001:db8::/32; } }"
    )
    name = access(made.at("server"), made.making, scene())
    assert name is not None
    rules = [("10.0.0.1/32", False), ("10.0.0.0/8", True), ("unix:", True), ("all", False)]
    gate = Address(tuple(AddressRule(allow=allow, network=network) for network, allow in rules))
    assert made.making.filters[name] == Access(satisfy=Satisfy.ALL, gates=(gate,))
    name = access(made.at("server", "location /"), made.making, scene())
    assert name is not None
    gate = Address((AddressRule(allow=True, network="2001:db8::/32"),))
    assert made.making.filters[name] == Access(satisfy=Satisfy.ALL, gates=(gate,))


def test_users_are_a_secret(tmp_path: Path) -> None:
    """The file stands beside the configuration; the Plan names it and holds nothing of it."""
    (tmp_path / "htpasswd").write_text("a:$apr1$x$y\n")
    made = parts('auth_basic "Closed $host"; auth_basic_user_file htpasswd;')
    made.making.conf_prefix = str(tmp_path)
    name = access(made.http, made.making, scene())
    assert name is not None
    found = made.making.filters[name]
    assert isinstance(found, Access)
    assert isinstance(found.gates[0], Basic)
    assert made.making.secrets == {found.gates[0].users: b"a:$apr1$x$y\n"}
    assert made.said == []


def test_a_realm_may_turn_out_to_be_off() -> None:
    """A map is the usual way to ask only some for a password."""
    found, _ = admission("map $uri $realm { default off; } auth_basic $realm; auth_basic_user_file /nowhere;")
    assert found is not None
    gate = found.gates[0]
    assert isinstance(gate, Basic)
    assert gate.when == Not(Equals(value=gate.realm, to=(Literal("off"),)))
    found, _ = admission("auth_basic x; auth_basic_user_file /nowhere;")
    assert found is not None
    assert isinstance(found.gates[0], Basic)
    assert found.gates[0].when is None


def test_a_missing_file_of_users_admits_nobody() -> None:
    """nginx starts and refuses everybody; so do we, and say so."""
    found, made = admission('auth_basic x; auth_basic_user_file "/nowhere/at all";')
    assert found is not None
    assert list(made.making.secrets.values()) == [b""]
    assert made.said[0].startswith('1 warning file: open() "/nowhere/at all" failed')


@pytest.mark.parametrize("text", ["auth_basic off;", "auth_request off;", "satisfy any;", ""])
def test_nothing_to_ask(text: str) -> None:
    """`off`, or no word of it."""
    found, made = admission(text)
    assert found is None
    assert made.said == []


def test_off_ends_what_is_inherited() -> None:
    """One gate goes, the other stays."""
    made = parts("auth_request /a; deny all; server { auth_request off; }")
    name = access(made.at("server"), made.making, scene())
    assert name is not None
    found = made.making.filters[name]
    assert isinstance(found, Access)
    assert [type(gate) for gate in found.gates] == [Address]


def test_a_request_asks_the_servers_table() -> None:
    """With its query, if it has one."""
    found, _ = admission("auth_request /a?b=c;")
    assert found is not None
    assert found.gates == (Subrequest(to=Uri(table="main", uri=(Literal("/a?b=c"),)), set=()),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allow 10.0.0.256;", 'error value: invalid network "10.0.0.256"'),
        ("allow 10.0.0.1/8;", "warning value: low address bits of 10.0.0.1/8 are meaningless"),
        ("deny all; satisfy some;", 'error value: invalid value "some"'),
        ("auth_request $uri;", "error value: auth_request takes no variables"),
        ("auth_request /a; auth_request_set x $host;", 'error value: invalid variable name "x"'),
        (
            "auth_request /a; auth_request_set $host x;",
            'error duplicate: the variable "$host" is nginx\'s own and cannot be set',
        ),
        ("auth_basic x;", "warning value: auth_basic has no effect without auth_basic_user_file"),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    assert admission(text)[1].said == [f"1 {said}"]
