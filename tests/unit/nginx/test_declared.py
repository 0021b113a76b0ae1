"""What a configuration defines is gathered in one walk."""

from __future__ import annotations

from daemun.nginx.declared import group_names
from tests.kit.nginx_parts import parts


def test_variables_are_gathered_in_their_order() -> None:
    """Slots are given in the order of the lines, wherever they stand."""
    made = parts(
        """
        server {
            set $a 1;
            location / { if ($a) { set $b 2; } auth_request_set $User $upstream_http_x; set $a 3; }
        }
        """
    )
    assert made.making.declared.slots == ("a", "b", "user")
    assert made.making.slots == ["a", "b", "user"]
    assert not made.making.declared.numbered


def test_numbered_groups_count_when_somebody_reads_them() -> None:
    """`$1` anywhere, also in the value of a map."""
    assert parts("map $uri $x { ~^/(.) $1; }").making.declared.numbered
    assert not parts("map $uri $x { ~^/(.)$ a; }").making.declared.numbered


def test_names_of_groups_in_all_three_spellings() -> None:
    """Lookbehind and an escaped parenthesis are none."""
    assert group_names(r"^(?<a>x)(?P<b>y)(?'c'z)(?<!n)(?<=m)\(?<d>") == ["a", "b", "c"]


def test_patterns_that_share_a_name_share_a_slot() -> None:
    """So a variable is read from one place, whichever of them matched."""
    made = parts(
        """
        server { server_name ~^(?<sub>.)\\.a$ ~^(?<sub>.)(?<top>.)$; }
        server { location ~ ^/(?<other>.) { return 204; } }
        """
    )
    assert made.making.declared.groups == {"sub": "sub", "top": "sub", "other": "other"}


def test_a_group_that_is_set_too_has_a_slot_apart() -> None:
    """The variable's slot is that of `set`; the script copies what was caught."""
    made = parts("server { set $lang en; location ~ ^/(?<lang>..)/ { return 204; } }")
    assert made.making.declared.groups == {"lang": "?lang"}
    assert made.making.slots == ["lang"]


def test_which_texts_may_hold_a_uri() -> None:
    """By what `set` and lookups write, through other variables too; what a client or a pattern says may be anything."""
    declared = parts(
        """
        map $host $name { default app; a.test other:8080; }
        map $host $base { default app; a.test app/base; }
        map $host $inner { default $name; }
        server {
            server_name ~^(?<sub>.)$;
            set $plain 10.0.0.1; set $loop $loop$host; set $deep http://$plain; set $asked $arg_a; location / { return 204; }
        }
        """
    ).making.declared
    closed = ["app", "$host:8000", "$name", "$inner", "${plain}:$server_port", "$loop"]
    open_ = ["a/b", "$base", "$deep", "$asked", "$sub", "$1", "$uri", "$http_x", "x$arg_a"]
    assert [text for text in [*closed, *open_] if declared.may_hold_uri(text)] == open_
