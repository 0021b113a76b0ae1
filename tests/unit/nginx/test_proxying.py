"""`proxy_pass` and what goes with it: targets, fields, redirects, bodies, timeouts."""

from __future__ import annotations

import pytest

from daemun.plan import filter as plan_filter
from daemun.plan import route, script, service
from daemun.plan.route import HeaderValue
from daemun.plan.template import Literal, Variable
from tests.kit.nginx_language import messages, plan_of, proxied, server

APP = "upstream app { server 127.0.0.1:9000; }"


@pytest.mark.parametrize(
    ("location", "url", "name", "target"),
    [
        ("/a/", "http://app", "app", route.Raw()),
        ("/a/", "http://app/b/", "app", route.ReplacePrefix(prefix="/a/", with_="/b/")),
        ("/a/", "http://app/", "app", route.ReplacePrefix(prefix="/a/", with_="/")),
        ("/a/", "http://app?x=1", "app", route.ReplacePrefix(prefix="/a/", with_="/?x=1")),
        ("= /a", "http://app/b", "app", route.ReplacePrefix(prefix="/a", with_="/b")),
        ("/a/", "http://APP", "app", route.Raw()),
        ("/a/", "http://127.0.0.1:9001", "127.0.0.1:9001", route.Raw()),
        ("/a/", "http://[::1]:9001/b", "[::1]:9001", route.ReplacePrefix(prefix="/a/", with_="/b")),
        ("/a/", "http://unix:/run/a.sock", "unix:/run/a.sock", route.Raw()),
        ("/a/", "http://unix:/run/a.sock:/b", "unix:/run/a.sock", route.ReplacePrefix(prefix="/a/", with_="/b")),
        ("/a/", "http://app$request_uri", "app", route.TargetTemplate((Variable.REQUEST_URI,))),
        ("~ ^/a(/.*)$", "http://app$uri", "app", route.TargetTemplate((Variable.PATH,))),
    ],
)
def test_targets(location: str, url: str, name: str, target: route.Target) -> None:
    """Without URI as it came, with one the location's prefix is replaced, with variables as they say."""
    found = proxied(f"location / {{ return 204; }} location {location} {{ proxy_pass {url}; }}", before=APP)
    assert (found.service, found.target) == (name, target)


def test_ports() -> None:
    """A server of an upstream has 80 when it names none; a URL the one of its scheme."""
    plan = server(
        "location /a { proxy_pass https://one.test; } location /b { proxy_pass http://two.test; }"
        "location /c { proxy_pass http://three; }",
        before="upstream three { server x.test; server y.test:81; server unix:/z; }",
    )
    addresses = {
        name: [one.address for one in made.kind.endpoints]
        for name, made in plan.services.items()
        if isinstance(made.kind, service.Balanced)
    }
    assert addresses == {
        "three": ["x.test:80", "y.test:81", "unix:/z"],
        "one.test (https)": ["one.test:443"],
        "two.test": ["two.test:80"],
    }


def test_host() -> None:
    """As written in proxy_pass, unless proxy_set_header says otherwise; a socket's is localhost."""
    assert proxied("location / { proxy_pass http://a.test:81; }").host == (Literal("a.test:81"),)
    assert proxied("location / { proxy_pass http://unix:/a; }").host == (Literal("localhost"),)
    assert proxied("location / { proxy_pass http://a; proxy_set_header Host $host; }").host == (Variable.HOST,)
    named = "location / { proxy_pass http://a:81; proxy_set_header Host x.$proxy_host; }"
    assert proxied(named).host == (Literal("x.a:81"),)


def test_fields_are_inherited_all_or_nothing() -> None:
    """A location with one of its own has none of the server's; an empty value removes."""
    plan = server(
        'proxy_set_header X-A a; proxy_set_header X-B ""; location /a { proxy_pass http://a; }'
        "location /b { proxy_set_header X-C c; proxy_pass http://a; }"
    )

    def value(name: str, text: str) -> plan_filter.Set:
        return plan_filter.Set(HeaderValue(name=name, value=(Literal(text),)))

    made = {path: [plan.filters[one] for one in plan.routes[f"server {path}"].filters] for path in ("/a", "/b")}
    assert made == {
        "/a": [plan_filter.RequestHeaders((value("X-A", "a"), plan_filter.Remove("X-B")))],
        "/b": [plan_filter.RequestHeaders((value("X-C", "c"),))],
    }


@pytest.mark.parametrize(
    ("fields", "upgrade"),
    [
        ("", False),
        ('proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";', True),
        ("proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $c;", True),
        ('proxy_set_header Connection "";', False),
    ],
)
def test_upgrades(fields: str, *, upgrade: bool) -> None:
    """The pair that people write for WebSockets lets upgrades pass, and no field carries it."""
    before = "map $http_upgrade $c { default upgrade; '' close; }"
    assert proxied(f"location / {{ proxy_pass http://a; {fields} }}", before=before).upgrade is upgrade


def test_connection_close_keeps_no_connection() -> None:
    """The transport of the location has no idle connections."""
    plan = server("location / { proxy_pass http://a; proxy_set_header Connection close; }")
    [action] = [one.action for one in plan.routes.values() if isinstance(one.action, route.Proxy)]
    assert action.transport is not None
    assert plan.transports[action.transport].pool.max_idle == 0


def test_timeouts_and_retries_are_a_locations_own() -> None:
    """They differ from the service's by route; what is the same is not said again."""
    plan = server(
        "proxy_connect_timeout 5s; location /a { proxy_pass http://app; proxy_read_timeout 7; }"
        "location /b { proxy_pass http://app; proxy_next_upstream error http_502 non_idempotent; "
        "proxy_next_upstream_tries 2; }",
        before=APP,
    )
    a, b = plan.routes["server /a"].action, plan.routes["server /b"].action
    assert isinstance(a, route.Proxy)
    assert isinstance(b, route.Proxy)
    assert a.transport is not None
    assert b.transport is not None
    assert (plan.transports[a.transport].connect_ms, plan.transports[a.transport].read_idle_ms) == (5_000, 7_000)
    assert (plan.transports[b.transport].connect_ms, plan.transports[b.transport].read_idle_ms) == (5_000, 60_000)
    assert (a.retry, b.retry) == (
        None,
        service.Retry(
            on=(service.Unsent(), service.Error(), service.Status(502)),
            tries=2,
            timeout_ms=0,
            non_idempotent=True,
            resend_on_stale=True,
        ),
    )


def test_bodies() -> None:
    """Buffered both ways, unless it is switched off."""
    on, off = (
        proxied(f"location / {{ proxy_pass http://a; {more} }}")
        for more in (
            "proxy_buffers 4 4k; proxy_max_temp_file_size 0; client_body_buffer_size 1m;",
            "proxy_buffering off; proxy_request_buffering off;",
        )
    )
    assert (on.request_body, on.response_body) == (route.Buffer(memory=1_048_576), route.Ahead(memory=16_384, file=0))
    assert (off.request_body, off.response_body) == (route.Stream(), route.Stream())


def test_hidden_fields() -> None:
    """nginx's own, more by proxy_hide_header, fewer by proxy_pass_header."""
    hide = proxied("location / { proxy_pass http://a; proxy_hide_header X-A; proxy_pass_header Server; }").hide
    assert "x-a" in hide
    assert "server" not in hide
    assert "x-accel-redirect" in hide


def test_redirects() -> None:
    """The default turns the upstream's own address into the location; off, pairs and expressions."""

    def rewrites(more: str, url: str = "http://app/b/") -> list[tuple[object, object]]:
        found = proxied(f"location /a/ {{ proxy_pass {url}; {more} }}", before=APP).rewrite_location
        return [(one.pattern.regex if one.pattern else one.from_, (one.base, one.to)) for one in found]

    base = (Literal("http://"), Variable.HOST_OR_ADDRESS, Literal(":8080"))
    default = ((Literal("http://app/b/"),), (base, (Literal("/a/"),)))
    assert rewrites("") == [default]
    assert rewrites("proxy_redirect off;") == []
    assert rewrites("proxy_redirect http://x/ https://y/; proxy_redirect default;") == [
        ((Literal("http://x/"),), ((), (Literal("https://y/"),))),
        default,
    ]
    assert rewrites("proxy_redirect ~*^http://x /;") == [("^http://x", (base, (Literal("/"),)))]
    assert rewrites("absolute_redirect off;") == [((Literal("http://app/b/"),), ((), (Literal("/a/"),)))]
    assert rewrites("", "http://app$request_uri") == []


def test_variables_that_name_an_upstream() -> None:
    """One prepared route an upstream, chosen by a script; else the address is what the variable says."""
    plan = plan_of(
        f"{APP} upstream b {{ server 127.0.0.1:9001; }} map $host $to {{ default app; b b; }}"
        "server { listen 8080; location / { proxy_pass http://$to; } }"
    )
    [chooser] = [one for one in plan.filters.values() if isinstance(one, plan_filter.Script)]
    routes = [step.route for step in chooser.steps if isinstance(step, script.If) and step.route is not None]
    chosen = [plan.routes[name].action for name in routes]
    assert [one.service for one in chosen if isinstance(one, route.Proxy)] == ["app", "b"]
    main = plan.routes["server /"].action
    assert isinstance(main, route.Proxy)
    assert isinstance(plan.services[main.service].kind, service.Dynamic)


def test_not_inherited_but_by_if() -> None:
    """A nested location serves files where its outer one passes on; an `if` passes on too."""
    plan = server("location /a { proxy_pass http://app; if ($arg_b) { set $c 1; } location /a/b { } }", before=APP)
    kinds = {name: type(one.action).__name__ for name, one in plan.routes.items()}
    assert kinds == {
        "server": "Files",
        "server /a": "Proxy",
        "server /a if ($arg_b)": "Proxy",
        "server /a/b": "Files",
    }


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("location / { proxy_pass a$x; set $x a; }", "invalid URL prefix"),
        ("location / { proxy_pass ftp://a; }", "invalid URL prefix"),
        ("location / { proxy_pass http://; }", 'no host in upstream ""'),
        ("location @n { proxy_pass http://a/b; }", '"proxy_pass" cannot have URI part in named location'),
        ("location / { proxy_pass http://a; proxy_http_version 2; }", "not yet: HTTP/2 to upstreams comes later"),
        ("location / { proxy_pass http://a; proxy_redirect on; }", 'invalid parameter "on"'),
    ],
)
def test_what_is_refused(block: str, message: str) -> None:
    """Each is said."""
    assert messages(f"server {{ listen 8080; {block} }}") == [message]


def test_locations_that_say_the_same_are_one_action() -> None:
    """A thousand servers with one application write the same: the action is made once, with what is around it the same."""
    location = "location / { proxy_pass http://app; proxy_read_timeout 5s; }"
    plan = plan_of(f"{APP} server {{ server_name a; {location} }}\nserver {{ server_name b; {location} }}")
    assert plan.routes["a /"].action is plan.routes["b /"].action
    assert plan.routes["a /"].origin != plan.routes["b /"].origin


@pytest.mark.parametrize(
    ("around", "inside"),
    [
        ("proxy_buffering off;", ""),
        ("proxy_hide_header X;", ""),
        ("proxy_redirect off;", ""),
        ("", "proxy_method GET;"),
    ],
)
def test_what_is_around_a_location_counts(around: str, inside: str) -> None:
    """The same proxy_pass means something else where more is said of it."""
    plain = "server { server_name a; location / { proxy_pass http://app; } }"
    other = f"server {{ server_name b; {around} location / {{ proxy_pass http://app; {inside} }} }}"
    alone = plan_of(f"{APP} {other}").routes["b /"].action
    plan = plan_of(f"{APP} {plain} {other}")
    assert plan.routes["b /"].action == alone != plan.routes["a /"].action


def test_a_mistake_is_told_at_each_place() -> None:
    """Locations that say the same wrong thing are each told so."""
    location = "location / { proxy_pass http://app; proxy_next_upstream never; }"
    found = messages(f"{APP} server {{ server_name a; {location} }} server {{ server_name b; {location} }}")
    assert len(found) == 2


def test_upstreams_that_a_map_names() -> None:
    """A map of names needs one route for each upstream; where it may give a URI, one more for each."""

    def ids(value: str) -> list[str]:
        text = f"{APP} map $host $to {{ default app; a {value}; }} server {{ location / {{ proxy_pass http://$to; }} }}"
        return [name.removeprefix("server /") for name in plan_of(text).routes]

    assert ids("other") == ["", " to app"]
    assert ids("app/base") == ["", " to app", " to */* app", " to */*"]
