"""nginx's variables in a text become parts of a template."""

from __future__ import annotations

import pytest

from daemun.nginx.making import Making
from daemun.nginx.variable_names import KNOWN, NOT_SERVED, PREFIXES
from daemun.nginx.variables import template
from daemun.plan.template import (
    Argument,
    Capture,
    Cookie,
    Entry,
    Header,
    Literal,
    LookupPart,
    Map,
    NamedCapture,
    Part,
    ResponseHeader,
    UpstreamHeader,
)
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import parts

# COMPAT.md's list of the variables that are used most, as far as they are nginx's own.
MOST_USED = """host http_host http_x_y cookie_a arg_b args is_args uri request_uri document_uri scheme https remote_addr
remote_port remote_user realip_remote_addr proxy_add_x_forwarded_for proxy_host proxy_port server_name server_port
server_addr server_protocol request_method request request_id request_time request_length content_type content_length
status body_bytes_sent bytes_sent sent_http_x upstream_addr upstream_status upstream_response_time
upstream_connect_time upstream_header_time upstream_cache_status upstream_http_x time_local time_iso8601 msec pid
connection connection_requests fastcgi_script_name ssl_protocol ssl_cipher ssl_server_name ssl_client_verify
ssl_client_s_dn ssl_early_data http2 http3 hostname nginx_version document_root request_filename realpath_root"""


@pytest.mark.parametrize("name", MOST_USED.split())
def test_the_most_used_are_known(name: str) -> None:
    """None of them is a problem where a root is known."""
    making = Making()
    template(f"${name}", making, None, root=(Literal("/srv"),))
    assert making.problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", (Literal("plain"),)),
        ("", ()),
        ("$host", (Variable.HOST,)),
        ("$HOST", (Variable.HOST,)),
        ("a${host}b", (Literal("a"), Variable.HOST, Literal("b"))),
        ("$scheme://$host$request_uri", (Variable.SCHEME, Literal("://"), Variable.HOST, Variable.REQUEST_URI)),
        ("$http_x_forwarded_proto", (Header("x-forwarded-proto"),)),
        ("$sent_http_content_type", (ResponseHeader("content-type"),)),
        ("$upstream_http_x_user", (UpstreamHeader("x-user"),)),
        ("$cookie_sid/$arg_page", (Cookie("sid"), Literal("/"), Argument("page"))),
        ("$uri$is_args$args", (Variable.PATH, Variable.QUERY_MARK, Variable.QUERY)),
        ("$nginx_version-", (Literal("1.31.5-"),)),
        ("[$upstream_cache_status]", (Literal("[]"),)),
        ("$1-$2", (Capture(slot=0, group=1), Literal("-"), Capture(slot=0, group=2))),
        ("$12", (Capture(slot=0, group=1), Literal("2"))),
    ],
)
def test_texts(text: str, expected: tuple[Part, ...]) -> None:
    """Names have no case, braces end them, literals that meet are one."""
    making = Making()
    assert template(text, making, None) == expected
    assert making.problems == []


def test_words_of_openssl_have_a_table() -> None:
    """The engine says `1.3` and IANA's suites; $ssl_protocol and $ssl_cipher are OpenSSL's words."""
    making = Making()
    assert template("$ssl_protocol", making, None) == (LookupPart(table="$ssl_protocol", key=(Variable.TLS_VERSION,)),)
    table = making.lookups["$ssl_protocol"]
    assert isinstance(table, Map)
    assert table.exact[0] == Entry(key="1.2", value=(Literal("TLSv1.2"),))
    template("$ssl_cipher$ssl_curve$ssl_session_reused$request_completion", making, None)
    assert len(making.lookups) == 5
    assert making.problems == []


@pytest.mark.parametrize("name", ["upstream_cookie_sid", "request_port", "is_request_port"])
def test_parts_of_fields_have_a_table(name: str) -> None:
    """A pattern takes them out of the field."""
    making = Making()
    (part,) = template(f"${name}", making, None)
    assert isinstance(part, LookupPart)
    table = making.lookups[part.table]
    assert isinstance(table, Map)
    assert len(table.regexes) == 1
    assert making.problems == []


def test_the_slot_of_captures_may_be_given() -> None:
    """`$1` is of the regular expression that ran last: who knows which says so."""
    assert template("$1", Making(), None, captures=7) == (Capture(slot=7, group=1),)


def test_paths_of_files_need_a_root() -> None:
    """$document_root is the root of the location; without one it is a problem, not an empty text."""
    making = Making()
    assert template("$request_filename", making, None, root=(Literal("/srv"),)) == (Literal("/srv"), Variable.PATH)
    assert making.problems == []
    assert template("$document_root", making, None) == ()
    assert [one.kind for one in making.problems] == ["not_yet"]


def test_the_configurations_own_variables() -> None:
    """`set`, `map` and named groups define variables wherever they stand."""
    made = parts(
        """
        log_format x "$colour $tenant $sub";
        map $host $tenant { default $colour; }
        server { server_name ~^(?<Sub>[a-z]+)\\.example$; set $Colour blue; }
        """
    )
    colour, sub = made.making.slot("colour"), made.making.slot("Sub")
    assert template("$colour", made.making, None) == (Capture(slot=colour, group=0),)
    assert template("$sub", made.making, None) == (NamedCapture(slot=sub, group="Sub"),)
    assert template("$tenant", made.making, None) == (LookupPart(table="tenant", key=(Variable.HOST,)),)
    assert made.said == []


def test_a_geo_without_a_key_looks_up_the_client() -> None:
    """`geo $x { … }` is of $remote_addr; `split_clients` and a key with text are templates too."""
    made = parts('geo $where { default x; }\nsplit_clients "${remote_addr}AAA" $v { * a; }')
    assert template("$where", made.making, None) == (LookupPart(table="where", key=(Variable.CLIENT_IP,)),)
    key = (Variable.CLIENT_IP, Literal("AAA"))
    assert template("$v", made.making, None) == (LookupPart(table="v", key=key),)


def test_a_map_that_needs_itself_is_said() -> None:
    """nginx finds such a cycle when it is asked; here the configuration is refused, once."""
    made = parts("map $b $a { default 1; }\nmap $a $b { default 2; }")
    template("$a", made.making, None)
    template("$a", made.making, None)
    assert made.said == ['1 error reference: "$a" is looked up by itself']


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("$hots", "unknown", 'unknown "$hots" variable'),
        ("${1}", "unknown", 'unknown "$1" variable'),
        ("a$", "syntax", '"$" without a variable name in "a$"'),
        ("$-", "syntax", '"$" without a variable name in "$-"'),
        ("${host", "syntax", 'the closing bracket in "${host" is missing'),
        ("$request_body_file", "not_yet", "$request_body_file is not served by this version"),
        ("$geoip_region", "not_yet", "$geoip_region is not served by this version"),
    ],
)
def test_what_cannot_be_read(text: str, kind: str, message: str) -> None:
    """Each is one problem; a variable that nginx has and this version not has a remedy."""
    made = parts(f"log_format x '{text}';")
    one = made.http.own("log_format")[0]
    template(one.args[1], made.making, one.places[1])
    assert made.said == [f"1 error {kind}: {message}"]
    assert kind != "not_yet" or made.making.problems[0].remedy


def test_the_nearest_name_is_suggested() -> None:
    """Also one of the configuration's own."""
    made = parts("server { set $colour blue; }")
    template("$hots $color", made.making, None)
    assert [one.suggestion for one in made.making.problems] == ["$host", "$colour"]


def test_what_is_served_is_not_called_otherwise() -> None:
    """The two tables have no name in common, and every prefix ends in the mark."""
    assert not set(KNOWN) & set(NOT_SERVED)
    assert all(prefix.endswith("_") for prefix in PREFIXES)
