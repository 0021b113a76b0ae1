"""`set_real_ip_from` and its kin become a filter RealIp."""

from __future__ import annotations

import pytest

from daemun.nginx.realip import real_ip
from daemun.plan.filter import RealIp
from tests.kit.nginx_parts import Parts, parts, scene


def found(text: str) -> tuple[RealIp | None, Parts]:
    made = parts(text)
    name = real_ip(made.http, made.making, scene())
    one = made.making.filters[name] if name else None
    assert one is None or isinstance(one, RealIp)
    return one, made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "set_real_ip_from 10.0.0.0/8; set_real_ip_from 2001:db8::1;",
            RealIp(trusted=("10.0.0.0/8", "2001:db8::1/128"), header="x-real-ip", recursive=False),
        ),
        (
            "set_real_ip_from 10.0.0.1; real_ip_header X-Forwarded-For; real_ip_recursive on;",
            RealIp(trusted=("10.0.0.1/32",), header="x-forwarded-for", recursive=True),
        ),
        ("set_real_ip_from unix:;", RealIp(trusted=("unix:",), header="x-real-ip", recursive=False)),
        ("real_ip_header X-Forwarded-For;", None),
        ("set_real_ip_from 10.0.0.1; real_ip_header proxy_protocol;", None),
    ],
)
def test_filters(text: str, expected: RealIp | None) -> None:
    """Nobody is believed unless named; a PROXY header is believed by the listener already."""
    one, made = found(text)
    assert one == expected
    assert made.said == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("set_real_ip_from proxy.invalid;", 'value: host not found in set_real_ip_from "proxy.invalid"'),
        ("set_real_ip_from 10.0.0.0/33;", 'value: invalid network "10.0.0.0/33"'),
        (
            "set_real_ip_from 10.0.0.1; real_ip_recursive yes;",
            'value: invalid value "yes" in "real_ip_recursive" directive, it must be "on" or "off"',
        ),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    assert found(text)[1].said == [f"1 error {said}"]


def test_a_name_is_resolved_when_the_configuration_is_read() -> None:
    """As nginx does; all its addresses are trusted."""
    one, made = found("set_real_ip_from localhost;")
    assert one is not None
    assert set(one.trusted) & {"127.0.0.1", "::1"}
    assert made.said == []
