"""The rewrite phase becomes a Script: as in the golden Plans, and in nginx's corner cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.level import Level
from daemun.nginx.pages import answer
from daemun.nginx.script import only_answer, rewrite_phase
from daemun.plan import route
from daemun.plan.filter import Script
from daemun.plan.plan import Plan, from_json
from daemun.plan.script import (
    Break,
    Close,
    Continue,
    Equals,
    If,
    Last,
    Matches,
    Redirect,
    Return,
    ReturnText,
    Rewrite,
    RewriteThen,
    Set,
    SetQuery,
    Stay,
    Step,
    Truthy,
)
from daemun.plan.template import Capture, Literal, NamedCapture
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts, scene

FOUND, MOVED = Redirect(answer(302)), Redirect(answer(301))
GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def golden(name: str) -> tuple[Parts, Plan]:
    """A golden configuration, and the Plan it must become."""
    return parts((GOLDEN / f"{name}.conf").read_text()), from_json((GOLDEN / f"{name}.json").read_bytes())


def steps(text: str) -> tuple[tuple[Step, ...], Parts]:
    """The script of `location /` in a server."""
    made = parts(f"server {{ location / {{ {text} }} }}")
    name = rewrite_phase(made.at("server", "location /"), made.making, scene(), lambda _: "inner")
    found = made.making.filters[name] if name else Script(())
    assert isinstance(found, Script)
    return found.steps, made


def test_if_and_set() -> None:
    """A golden Plan: `set` at the server, `if` with a route of its own, with an end, with captures."""
    made, plan = golden("if-and-set")
    routes = {"if ($http_x_canary": "/ if canary", "if ($http_user_agent": "/ if curl"}

    def make_route(level: Level) -> str:
        assert level.directive is not None
        return routes[f"if {level.directive.args[0]}"]

    server = rewrite_phase(made.at("server"), made.making, scene("server"), None)
    location = rewrite_phase(made.at("server", "location /"), made.making, scene(), make_route)
    assert server is not None
    assert location is not None
    assert (server, location) == ("server script", "/ script")
    assert made.making.filters[server] == plan.filters["server script"]
    assert made.making.filters[location] == plan.filters["/ script"]
    assert tuple(made.making.slots) == plan.slots
    assert made.said == []


def test_rewrite_last() -> None:
    """A golden Plan: `last`, `break`, a query in the replacement, a `?` at its end."""
    made, plan = golden("rewrite-last")
    rewrite_phase(made.at("server"), made.making, scene("server"), None)
    for path in ("/old/", "/paint/", "/api/"):
        rewrite_phase(made.at("server", f"location {path}"), made.making, scene(path), None)
    assert made.making.filters == {name: one for name, one in plan.filters.items() if name.endswith("script")}
    assert rewrite_phase(made.at("server", "location /new/"), made.making, scene("/new/"), None) is None


def test_answers_alone() -> None:
    """Golden Plans: a location or server that begins with `return` needs no script."""
    made, plan = golden("nested-locations")
    docs = made.at("server", "location /api/", "location ~")
    assert only_answer(docs, made.making, scene("docs", captures=made.making.slot("1"))) == plan.routes["docs"].action
    made, plan = golden("prefix-against-regex")
    icon = made.at("server", "location = /favicon.ico")
    assert only_answer(icon, made.making, scene("icon")) == plan.routes["/favicon.ico"].action
    made, plan = golden("server-name-captures")
    assert only_answer(made.at("server"), made.making, scene("server")) == route.Close()


@pytest.mark.parametrize("text", ["set $a 1; return 204;", "rewrite ^ /x; return 204;", "root /srv;"])
def test_what_stands_before_an_answer_needs_the_script(text: str) -> None:
    """Only a `return` that is first is the whole of it."""
    made = parts(f"server {{ {text} }}")
    assert only_answer(made.at("server"), made.making, scene()) is None


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("rewrite ^ /x;", Continue()),
        ("rewrite ^ /x last;", Last()),
        ("rewrite ^ /x break;", Stay()),
        ("rewrite ^ /x redirect;", FOUND),
        ("rewrite ^ /x permanent;", MOVED),
        ("rewrite ^ http://a/x;", FOUND),
        ("rewrite ^ https://a/x last;", FOUND),
        ("rewrite ^ $scheme://a/x break;", FOUND),
        ("rewrite ^ http://a/x permanent;", MOVED),
    ],
)
def test_what_follows_a_rewrite(text: str, then: RewriteThen) -> None:
    """A URL is a redirect whatever the flag; `permanent` alone makes it 301."""
    found, _ = steps(text)
    assert isinstance(found[0], Rewrite)
    assert found[0].then == then


def test_redirects_to_a_path_are_absolute() -> None:
    """Scheme, name and port stand before it; a rewrite in place stays a path."""
    found, _ = steps("rewrite ^/a/(.*) /b/$1? redirect; rewrite ^ /c;")
    assert isinstance(found[0], Rewrite)
    assert isinstance(found[1], Rewrite)
    origin = (Literal("http://"), Variable.HOST_OR_ADDRESS, Literal(":8080/b/"))
    assert found[0].replacement == (*origin, Capture(slot=0, group=1))
    assert (found[0].append_query, found[1].append_query) == (False, True)
    assert found[1].replacement == (Literal("/c"),)


def test_set_args_changes_the_query() -> None:
    """$args is nginx's own and may be set; a slot would not go upstream."""
    found, made = steps("set $args a=$arg_b; set $x $args;")
    assert isinstance(found[0], SetQuery)
    assert found[1] == Set(slot=made.making.slot("x"), value=(Variable.QUERY,))


def test_captures_are_of_the_pattern_that_ran_last() -> None:
    """Of a pattern with names it is that pattern's own slot."""
    found, made = steps('if ($uri ~ "^/(?<user>.)(.)") { set $a $2; } rewrite ^/(.) /$1 break;')
    assert isinstance(found[0], If)
    user, one = made.making.slot("user"), made.making.slot("1")
    assert found[0].steps == (Set(slot=made.making.slot("a"), value=(Capture(slot=user, group=2),)),)
    assert isinstance(found[1], Rewrite)
    assert found[1].replacement == (Literal("/"), Capture(slot=one, group=1))


def test_captures_of_the_location_hold_until_another_pattern_runs() -> None:
    """The scene says which slot the location's pattern writes."""
    made = parts("server { location ~ ^/(?<a>.)(.) { set $x $2; } }")
    level = made.at("server", "location")
    rewrite_phase(level, made.making, scene("re", captures=9), None)
    script = made.making.filters["re script"]
    assert script == Script((Set(slot=made.making.slot("x"), value=(Capture(slot=9, group=2),)),))


def test_a_group_that_is_set_too_is_copied() -> None:
    """What `if` caught in a named group is the variable's value, until `set` says otherwise."""
    found, made = steps('set $lang en; if ($uri ~ "^/(?<lang>..)/") { set $x 1; }')
    lang, caught = made.making.slot("lang"), made.making.slot("?lang")
    assert isinstance(found[1], If)
    copy = Set(slot=lang, value=(NamedCapture(slot=caught, group="lang"),))
    assert found[1].steps == (copy, Set(slot=made.making.slot("x"), value=(Literal("1"),)))
    found, made = steps("set $lang en; rewrite ^/(?<lang>..)/ /x break;")
    assert isinstance(found[1], If)
    assert isinstance(found[1].when, Matches)
    assert found[1].when.value == (Variable.PATH,)
    assert isinstance(found[2], Rewrite)


def test_a_group_of_the_location_that_is_set_too_is_copied_first() -> None:
    """When the location's pattern ran it wrote its own slot."""
    made = parts("server { location ~ ^/(?<lang>..)/ { set $x $lang; } location / { set $lang en; } }")
    rewrite_phase(made.at("server", "location ~"), made.making, scene("re"), None)
    script = made.making.filters["re script"]
    assert isinstance(script, Script)
    caught = (NamedCapture(slot=made.making.slot("?lang"), group="lang"),)
    assert script.steps[0] == If(
        when=Truthy(caught), steps=(Set(slot=made.making.slot("lang"), value=caught),), route=None
    )


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("set $x 1;", "inner"),
        ("proxy_pass http://b;", "inner"),
        ("return 403;", None),
        ("set $x 1; return 403;", None),
        ("rewrite ^ /x last; return 403;", None),
        ("break; return 403;", "inner"),
        ("rewrite ^ /x break; return 403;", "inner"),
        ("rewrite ^ /x last;", "inner"),
        ("if ($b) { break; } return 403;", "inner"),
    ],
)
def test_routes_of_ifs(text: str, prepared: str | None) -> None:
    """An `if` that always ends in an answer is never the place of the request; every other is."""
    found, _ = steps(f"set $b 1; if ($a) {{ {text} }} set $a 1;")
    assert isinstance(found[1], If)
    assert found[1].route == prepared


def test_ifs_may_be_nested() -> None:
    """The inner one has a level inside the outer."""
    made = parts("server { location / { if ($uri = /a) { if ($args) { break; } } } }")
    asked: list[Level] = []

    def make_route(level: Level) -> str:
        asked.append(level)
        return str(len(asked))

    rewrite_phase(made.at("server", "location /"), made.making, scene(), make_route)
    inner, outer = asked
    assert inner.parent is not None
    assert inner.parent.directive is outer.directive
    script = made.making.filters["/ script"]
    assert isinstance(script, Script)
    when = Equals(value=(Variable.PATH,), to=(Literal("/a"),))
    nested = If(when=Truthy((Variable.QUERY,)), steps=(Break(),), route="1")
    assert script.steps == (If(when=when, steps=(nested,), route="2"),)


def test_an_if_of_a_server_has_no_route() -> None:
    """There is no place to put it in."""
    made = parts("server { if ($args) { set $x 1; } }")
    rewrite_phase(made.at("server"), made.making, scene("server"), None)
    script = made.making.filters["server script"]
    assert isinstance(script, Script)
    assert isinstance(script.steps[0], If)
    assert script.steps[0].route is None


def test_a_text_is_not_replaced_by_an_error_page() -> None:
    """`return 404 text` is the answer; `return 404` asks the error pages. Without any it makes no difference."""
    found, _ = steps('error_page 404 /x; return 404 "gone";')
    assert isinstance(found[0], ReturnText)
    assert isinstance(steps('return 404 "gone";')[0][0], Return)
    assert isinstance(steps("error_page 404 /x; return 404;")[0][0], Return)
    assert steps("return 444;")[0] == (Close(),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("set colour blue;", 'value: invalid variable name "colour"'),
        ("set $host x;", 'duplicate: the variable "$host" is nginx\'s own and cannot be set'),
        ("set $limit_rate 4k;", 'not_yet: the variable "$limit_rate" is nginx\'s own and cannot be set'),
        ("rewrite ^ /x lost;", 'value: invalid parameter "lost"'),
        ("rewrite ^/( /x;", 'value: the pattern "^/(" is malformed: missing closing parenthesis'),
        ('rewrite ^ "";', "value: empty replacement"),
        ("return /x;", 'value: invalid return code "/x"'),
        ("return 1000;", 'value: invalid return code "1000"'),
        ("return http://a b;", 'value: invalid return code "http://a"'),
    ],
)
def test_what_is_wrong_has_a_place(text: str, said: str) -> None:
    """Each as nginx would refuse it, and the rest is read on."""
    found, made = steps(f"{text} break;")
    assert made.said == [f"1 error {said}"]
    assert found[-1] == Break()


def test_the_nearest_flag_is_suggested() -> None:
    """`lost` is near to `last`."""
    _, made = steps("rewrite ^ /x lost;")
    assert made.making.problems[0].suggestion == "last"
