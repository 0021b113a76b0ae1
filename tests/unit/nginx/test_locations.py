"""Locations to tables: kinds, nesting, the missing slash."""

from __future__ import annotations

import pytest

from daemun.plan import filter as plan_filter
from daemun.plan import route, script, table
from tests.kit.nginx_language import draft_of, messages, server

PASS = "proxy_pass http://127.0.0.1:9000;"


def locations(block: str) -> table.Locations:
    plan = server(block)
    found = plan.tables[plan.hosts["server"].table]
    assert isinstance(found, table.Locations)
    return found


def test_kinds() -> None:
    """Exact, prefix, `^~`, both kinds of expressions, named; a modifier may be glued to its path."""
    found = locations(
        "location = /a { } location /b { } location ^~ /c { } location ~ d { } location ~*e { } location @f { }"
        "location =/g { }"
    )
    assert [one.path for one in found.exact] == ["/a", "/g"]
    assert [(one.path, one.stop) for one in found.prefixes] == [("/b", False), ("/c", True)]
    assert [(one.pattern.regex, one.pattern.ignore_case) for one in found.regexes] == [("d", False), ("e", True)]
    assert [one.name for one in found.named] == ["f"]


def test_what_no_location_takes() -> None:
    """It is the server's own, unless one takes everything."""
    assert locations("location /a { }").otherwise is not None
    assert locations("location / { }").otherwise is None


def test_nesting() -> None:
    """Inside a prefix, and inside a regular expression."""
    found = locations("location /a { location /a/b { location ~ c { } } location = /a/d { } }")
    [outer] = found.prefixes
    assert outer.children is not None
    [inner] = outer.children.prefixes
    assert inner.children is not None
    assert [one.pattern.regex for one in inner.children.regexes] == ["c"]
    assert [one.path for one in outer.children.exact] == ["/a/d"]


def test_the_missing_slash() -> None:
    """A prefix that ends in a slash and passes on answers the path without it, unless a location of that path is there.

    It comes before regular expressions, as nginx 1.22 shows.
    """
    assert [one.path for one in locations(f"location /a/ {{ {PASS} }}").exact] == ["/a"]
    assert locations("location /a/ { }").exact == ()
    assert [one.route for one in locations(f"location /a/ {{ {PASS} }} location = /a {{ }}").exact] == ["server = /a"]
    assert locations(f"location /a/ {{ {PASS} }} location /a {{ }}").exact == ()
    assert [one.path for one in locations(f"location /a/ {{ {PASS} }} location ~ ^/a$ {{ }}").exact] == ["/a"]
    assert locations(f"location / {{ {PASS} }}").exact == ()
    assert [one.path for one in locations(f'location /a/ {{ {PASS} }} location ~ "^/(?<b>b+)$" {{ }}').exact] == ["/a"]


def test_internal() -> None:
    """Only jumps come there."""
    assert server("location /a { internal; }").routes["server /a"].internal


def test_return_comes_before_access() -> None:
    """A location that only answers has no script and no gate."""
    plan = server("location /a { deny all; return 403; }")
    made = plan.routes["server /a"]
    assert isinstance(made.action, route.Respond)
    assert made.filters == ()


def test_limit_except() -> None:
    """Other methods than these go through its block; HEAD is GET's."""
    plan = server(f"location /a {{ {PASS} limit_except GET {{ deny all; }} }}")
    scripts = [one for one in plan.filters.values() if isinstance(one, plan_filter.Script)]
    [step] = scripts[0].steps
    assert isinstance(step, script.If)
    assert step.route is not None
    inner = plan.routes[step.route]
    assert isinstance(inner.action, route.Proxy)
    assert any(isinstance(plan.filters[name], plan_filter.Access) for name in inner.filters)
    assert plan.routes["server /a"].filters[0] in plan.filters


def test_named_locations_that_are_missing() -> None:
    """A jump there is answered with 500, which is said: nginx finds out when it happens."""
    draft = draft_of("error_page 404 @none; server { listen 80; location / { try_files $uri @gone; } location @x { } }")
    assert [(one.severity, one.message) for one in draft.problems] == [
        ("warning", 'could not find named location "@none"'),
        ("warning", 'could not find named location "@gone"'),
    ]
    found = draft.whole.tables["server"]
    assert isinstance(found, table.Locations)
    assert [one.name for one in found.named] == ["x", "none", "gone"]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("location /a { } location ^~ /a { }", 'duplicate location "/a"'),
        ("location /a { location /b { } }", 'location "/b" is outside location "/a"'),
        ("location = /a { location /a/b { } }", 'location "/a/b" cannot be inside the exact location "/a"'),
        ("location @a { location /b { } }", 'location "/b" cannot be inside the named location "@a"'),
        ("location /a { location @b { } }", 'named location "@b" can be on the server level only'),
        ("location !~ /a { }", 'invalid location modifier "!~"'),
    ],
)
def test_what_is_refused(block: str, message: str) -> None:
    """Each is said in nginx's words."""
    assert messages(f"server {{ listen 8080; {block} }}") == [message]
