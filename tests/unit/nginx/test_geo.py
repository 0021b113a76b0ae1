"""`geo` becomes a table of networks."""

from __future__ import annotations

import pytest

from daemun.nginx.geo import geo
from daemun.plan.template import Geo, Literal, Proxies
from tests.kit.nginx_parts import Parts, parts


def table(entries: str) -> tuple[dict[str, str], str, Parts]:
    """The networks, the default, and what was said."""
    made = parts(f"geo $x {{\n{entries} }}")
    found = geo(made.http.own("geo")[0], made.making)
    assert isinstance(found, Geo)

    def text(value: object) -> str:
        assert isinstance(value, tuple)
        return "".join(part.text for part in value if isinstance(part, Literal))

    return {one.key: text(one.value) for one in found.networks}, text(found.default), made


def test_networks() -> None:
    """Both families, single addresses, a default, values that look like variables."""
    found, default, made = table("default d; 10.0.0.0/8 a; 127.0.0.1 $b; 2001:db8::/32 c;")
    assert found == {"10.0.0.0/8": "a", "127.0.0.1/32": "$b", "2001:db8::/32": "c"}
    assert default == "d"
    assert made.said == []


def test_proxies_speak_for_others() -> None:
    """Their addresses are not looked up, but what they say."""
    made = parts("geo $x { proxy 10.0.0.0/8; proxy 127.0.0.1; proxy_recursive; default d; }")
    found = geo(made.http.own("geo")[0], made.making)
    assert found.proxies == Proxies(trusted=("10.0.0.0/8", "127.0.0.1/32"), recursive=True)
    assert found.networks == ()
    assert made.said == []


def test_a_network_is_taken_away_again() -> None:
    """`delete` of one that is not there is doubtful."""
    found, _, made = table("10.0.0.0/8 a; 10.1.0.0/16 b; delete 10.1.0.0/16; delete 10.2.0.0/16;")
    assert found == {"10.0.0.0/8": "a"}
    assert made.said == ['2 warning value: no network "10.2.0.0/16" to delete']


def test_the_later_of_two_networks_counts() -> None:
    """And it is said."""
    found, _, made = table("10.0.0.0/8 a; 10.0.0.0/8 b;")
    assert found == {"10.0.0.0/8": "b"}
    assert made.said == ['2 warning duplicate: duplicate network "10.0.0.0/8", value: "b"']


def test_bits_beyond_the_mask_are_cut() -> None:
    """With a warning, as nginx does."""
    found, _, made = table("10.1.2.3/8 a;")
    assert found == {"10.0.0.0/8": "a"}
    assert made.said == ["2 warning value: low address bits of 10.1.2.3/8 are meaningless"]


def test_ranges_are_written_as_networks() -> None:
    """A range inside another cuts it."""
    found, default, made = table("ranges; default d; 10.0.0.0-10.0.0.255 a; 10.0.0.4-10.0.0.7 b;")
    assert found["10.0.0.4/30"] == "b"
    assert found["10.0.0.0/30"] == found["10.0.0.8/29"] == found["10.0.0.128/25"] == "a"
    assert default == "d"
    assert made.said == []


def test_a_range_is_deleted_as_a_whole() -> None:
    """Only one that was said so."""
    found, _, made = table("ranges; 10.0.0.0-10.0.0.3 a; delete 10.0.0.0-10.0.0.1; delete 10.0.0.0-10.0.0.3;")
    assert found == {}
    assert made.said == ["2 warning value: no such address range to delete"]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("10.0.0.256 a;", 'value: invalid network "10.0.0.256"'),
        ("10.0.0.0/8;", "syntax: invalid number of the geo parameters"),
        ("proxy 10.0.0.256;", 'value: invalid network "10.0.0.256"'),
        ("ranges; 10.0.0.0/8 a;", 'value: invalid range "10.0.0.0/8"'),
        ("ranges; 10.0.0.9-10.0.0.1 a;", 'value: invalid range "10.0.0.9-10.0.0.1"'),
        (
            "ranges; 10.0.0.1-10.0.0.9 a; 10.0.0.5-10.0.0.20 b;",
            'duplicate: range "10.0.0.5-10.0.0.20" overlaps "10.0.0.1-10.0.0.9"',
        ),
    ],
)
def test_what_is_wrong(entries: str, said: str) -> None:
    """Each has its place."""
    _, _, made = table(entries)
    assert made.said == [f"2 error {said}"]
