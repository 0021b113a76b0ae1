"""What `return` answers."""

from __future__ import annotations

import pytest

from daemun.nginx.answers import absolute, returned
from daemun.plan.route import HeaderValue, Respond
from daemun.plan.script import Close, Return
from daemun.plan.template import Literal, LookupPart, Template
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import ORIGIN, parts, scene

HTML = HeaderValue(name="Content-Type", value=(Literal("text/html"),))


def answered(text: str, *, before: str = "") -> Respond:
    made = parts(f"location / {{ {before} {text} }}")
    level = made.at("location /")
    step = returned(level.own("return")[0], level, made.making, scene(), captures=None, root=None)
    assert made.said == []
    assert isinstance(step, Return)
    return step.respond


@pytest.mark.parametrize(
    ("text", "status", "location"),
    [
        ("return 301 /new;", 301, (Literal("http://"), Variable.HOST_OR_ADDRESS, Literal(":8080/new"))),
        ("return 302 https://a/;", 302, (Literal("https://a/"),)),
        ("return https://a/$host;", 302, (Literal("https://a/"), Variable.HOST)),
        ("return $scheme://a;", 302, (Variable.SCHEME, Literal("://a"))),
        ("return 308 $request_uri;", 308, (*ORIGIN, Variable.REQUEST_URI)),
        ("return 307 $http_x;", 307, None),
    ],
)
def test_redirects(text: str, status: int, location: Template | None) -> None:
    """The text is the location, and the page is nginx's; a path is made absolute."""
    respond = answered(text)
    assert respond.status == status
    assert respond.headers[0] == HTML
    assert respond.headers[1].name == "Location"
    assert location is None or respond.headers[1].value == location
    assert f"{status} " in str(respond.body)


def test_a_path_stays_one_without_an_origin() -> None:
    """`absolute_redirect off` is an empty origin."""
    assert absolute((Literal("/x"),), scene()) == (*ORIGIN[:2], Literal(":8080/x"))
    assert absolute((Literal("x"),), scene()) == (Literal("x"),)


def test_a_text_has_the_default_type() -> None:
    """`default_type` is its Content-Type where no extension says otherwise."""
    respond = answered('return 200 "ok $host";', before="types { } default_type application/json;")
    assert respond == Respond(
        status=200,
        headers=(HeaderValue(name="Content-Type", value=(Literal("application/json"),)),),
        body=(Literal("ok "), Variable.HOST),
    )


def test_a_text_has_the_type_of_the_paths_extension() -> None:
    """nginx looks it up like a file's: `/robots.txt` is text/plain under application/octet-stream."""
    respond = answered("return 200 ok;", before="types { text/css css; } default_type application/octet-stream;")
    assert respond.headers[0].value == (LookupPart(table="types", key=(Variable.PATH_EXTENSION,)),)


def test_no_default_type_is_no_content_type() -> None:
    """`default_type ""` sends none."""
    assert answered("return 200 ok;", before='types { } default_type "";').headers == ()


@pytest.mark.parametrize(
    ("text", "headers", "body"),
    [
        ("return 204;", 0, False),
        ("return 204 text;", 0, False),
        ("return 304;", 1, False),
        ("return 200;", 1, False),
        ("return 404;", 1, True),
        ("return 418;", 0, False),
        ("return 503 x;", 1, True),
    ],
)
def test_bodies(text: str, headers: int, body: bool) -> None:  # noqa: FBT001
    """A page for statuses nginx has one for, nothing for those it has none for."""
    respond = answered(text)
    assert (len(respond.headers), bool(respond.body)) == (headers, body)


def test_errors_of_nginxs_own_go_out_as_400() -> None:
    """`return 497` is the page about HTTPS ports, with status 400."""
    respond = answered("return 497;")
    assert respond.status == 400
    assert "The plain HTTP request was sent to HTTPS port" in str(respond.body)


def test_an_error_page_of_such_an_error_is_found() -> None:
    """`return 497` with an `error_page 497` keeps its status until then."""
    assert answered("return 497;", before="error_page 497 https://a/;").status == 497


@pytest.mark.parametrize("text", ["return 444;", "return 444 x;", "return 499;", "return 408;"])
def test_ends_of_connections(text: str) -> None:
    """Nothing is answered."""
    made = parts(f"location / {{ {text} }}")
    level = made.at("location /")
    assert returned(level.own("return")[0], level, made.making, scene(), captures=None, root=None) == Close()
