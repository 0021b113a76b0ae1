"""Cases of the rewrite phase and of variables: rewrite last, if and set, map, error_page to a named location.

nginx's `$1` is a group of whatever regex matched last, so all regexes of a file without named groups share one slot.
"""

from __future__ import annotations

from dataclasses import replace

from daemun.plan import filter, route, script, template  # noqa: A004
from daemun.plan.plan import Plan
from daemun.plan.template import Capture, Header, LookupPart, NamedCapture, Template, Variable
from tests.kit.lowered import nginx
from tests.kit.lowered.locations import pcre
from tests.kit.lowered.nginx import Source, locations, prefix, proxy, text


def set_header(name: str, value: Template) -> filter.HeaderOp:
    """`proxy_set_header`."""
    return filter.Set(route.HeaderValue(name=name, value=value))


def rewrite_last() -> Plan:
    """`last` searches again, `break` stays and puts the URI of proxy_pass out of force, no flag goes on."""
    at = Source("rewrite-last.conf")
    group = Capture(slot=0, group=1)

    def rewrite(
        regex: str, *replacement: str | template.Part, then: script.RewriteThen, append: bool = True
    ) -> script.Rewrite:
        return script.Rewrite(
            pattern=pcre(regex, slot=0), replacement=text(*replacement), append_query=append, then=then
        )

    ignored = replace(
        proxy("app"),
        target=route.ReplacePrefix(prefix="/paint/", with_="/ignored/"),
        rewrite_location=(
            route.LocationRewrite(
                from_=text("http://app/ignored/"), pattern=None, base=nginx.ABSOLUTE, to=text("/paint/")
            ),
        ),
    )
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server(filters=("server script",))},
        tables={
            "main": locations(
                exact={"/new": "/new", "/paint": "/paint"},
                prefixes=tuple(prefix(path, path) for path in ("/old/", "/new/", "/paint/", "/api/")),
                otherwise="root",
            )
        },
        routes={
            "/old/": at.location("/old/", nginx.files_of("html"), filters=("/old/ script",)),
            "/new": at.slash("/new/"),
            "/new/": at.location("/new/", proxy("app")),
            "/paint": at.slash("/paint/"),
            "/paint/": at.location("/paint/", ignored, filters=("/paint/ script",)),
            "/api/": at.location("/api/", nginx.files_of("html"), filters=("/api/ script",)),
            "root": at.location("server", nginx.files_of("html")),
        },
        filters={
            "server script": filter.Script((rewrite("^/v1/(.*)$", "/api/", group, then=script.Continue()),)),
            "/old/ script": filter.Script(
                (rewrite("^/old/(.*)$", "/new/", group, then=script.Last()), script.Return(nginx.answer(403)))
            ),
            "/paint/ script": filter.Script((rewrite(r"^/paint/(\d+)/?$", "/draw?id=", group, then=script.Stay()),)),
            "/api/ script": filter.Script((rewrite("^/api/(.*)$", "/new/", group, then=script.Last(), append=False),)),
        },
        services={"app": at.upstream("app", nginx.endpoint("127.0.0.1:8001"))},
        slots=("1",),
    )


def if_and_set() -> Plan:
    """The last `if` that holds chooses the prepared route, even one that says nothing of proxying (as nginx does)."""
    at = Source("if-and-set.conf")
    colour, client, groups = 0, 1, 2
    common = ("/ client", "/ colour")
    www = pcre(r"^(www\.)?example\.org$", slot=groups)
    canary = script.If(
        when=script.Equals(value=(Header("x-canary"),), to=text("1")),
        steps=(script.Set(slot=colour, value=text("green")),),
        route="/ if canary",
    )
    delete = script.If(
        when=script.Equals(value=(Variable.METHOD,), to=text("DELETE")),
        steps=(script.Return(nginx.answer(405)),),
        route=None,
    )
    curl = script.If(
        when=script.Matches(value=(Header("user-agent"),), pattern=pcre(r"curl/(\d+)", slot=groups, ignore_case=True)),
        steps=(script.Set(slot=client, value=text("curl ", Capture(slot=groups, group=1))),),
        route="/ if curl",
    )
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server("example.org", filters=("server script",))},
        tables={"main": locations(prefixes=(prefix("/", "/"),))},
        routes={
            "/": at.location("/", proxy("blue"), filters=("/ script", *common)),
            "/ if canary": at.location("if ($http_x_canary", proxy("green"), filters=common),
            "/ if curl": at.location("if ($http_user_agent", proxy("blue"), filters=common),
        },
        filters={
            "server script": filter.Script(
                (
                    script.Set(slot=colour, value=text("blue")),
                    script.If(
                        when=script.Not(script.Matches(value=(Variable.HOST,), pattern=www)),
                        steps=(script.Close(),),
                        route=None,
                    ),
                )
            ),
            "/ script": filter.Script((canary, delete, curl)),
            "/ client": filter.RequestHeaders((set_header("X-Client", (Capture(slot=client, group=0),)),)),
            "/ colour": filter.ResponseHeaders(
                statuses=(),
                ops=(filter.Add(route.HeaderValue(name="X-Colour", value=(Capture(slot=colour, group=0),))),),
            ),
        },
        services={
            "blue": at.upstream("blue", nginx.endpoint("127.0.0.1:8001")),
            "green": at.upstream("green", nginx.endpoint("127.0.0.1:8002")),
        },
        slots=("colour", "client", "1"),
    )


def map_() -> Plan:
    """Two maps; the pair of Upgrade and Connection means that upgrades pass, so no field carries it."""
    at = Source("map.conf")
    tenant = template.Map(
        hostnames=True,
        exact=(
            template.Entry(key=".example.org", value=text("main")),
            template.Entry(key="shop.*", value=text("shop")),
        ),
        regexes=(
            template.RegexEntry(
                pattern=pcre(r"^(?<name>.+)\.test$", slot=0), value=(NamedCapture(slot=0, group="name"),)
            ),
        ),
        default=text("nobody"),
        volatile=False,
    )
    connection = template.Map(
        hostnames=False,
        exact=(template.Entry(key="", value=text("close")),),
        regexes=(),
        default=text("upgrade"),
        volatile=False,
    )
    tenant_of_host = (LookupPart(table="tenant", key=(Variable.HOST,)),)
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server()},
        tables={"main": locations(prefixes=(prefix("/", "/"),))},
        routes={"/": at.location("/", replace(proxy("app"), upgrade=True), filters=("headers",))},
        filters={"headers": filter.RequestHeaders((set_header("X-Tenant", tenant_of_host),))},
        services={"app": at.upstream("app", nginx.endpoint("127.0.0.1:8001"))},
        lookups={"connection_upgrade": connection, "tenant": tenant},
        slots=("name",),
    )


def error_page_named() -> Plan:
    """Pages by name, by URI and by redirect; the server's own hold where a location has none, and before routing."""
    at = Source("error-page-named.conf")
    broken = (500, 502, 503, 504)
    page = route.Uri(table="main", uri=text("/50x.html"))

    def error_page(
        statuses: tuple[int, ...], answer: filter.PageAnswer, status: filter.StatusOverride
    ) -> filter.ErrorPage:
        return filter.ErrorPage(statuses=statuses, faults=(), recursive=False, answer=answer, status=status)

    login = filter.PageRedirect(location=text("https://login.example.org/"), respond=nginx.answer(301))
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server(filters=("server pages",))},
        tables={
            "main": locations(
                exact={"/50x.html": "/50x.html"}, prefixes=(prefix("/", "/"),), named={"fallback": "@fallback"}
            )
        },
        routes={
            "/": at.location("/", replace(proxy("app"), intercept_errors=True), filters=("/ pages",)),
            "@fallback": at.location("@fallback", proxy("legacy"), filters=("server pages",)),
            "/50x.html": at.location(
                "= /50x.html", nginx.files_of("/srv/errors"), filters=("server pages",), internal=True
            ),
        },
        filters={
            "server pages": filter.ErrorPages((error_page(broken, page, filter.Original()),)),
            "/ pages": filter.ErrorPages(
                (
                    error_page((404,), route.Name(table="main", name="fallback"), filter.Answered()),
                    error_page((403,), login, filter.Fixed(301)),
                    error_page(broken, page, filter.Fixed(503)),
                )
            ),
        },
        services={
            "app": at.upstream("app", nginx.endpoint("127.0.0.1:8001")),
            "legacy": at.upstream("legacy", nginx.endpoint("127.0.0.1:8002")),
        },
    )
