"""Cases of choosing: nested locations, `^~` against a regex, proxy_pass with URI, try_files, server-name captures.

Each function is one golden file; the source beside it says what is meant.
"""

from __future__ import annotations

from dataclasses import replace

from daemun.plan import filter, listener, route, script, service, table  # noqa: A004
from daemun.plan.fault import FaultKind
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.plan import Plan
from daemun.plan.template import Capture, NamedCapture, Variable
from tests.kit.lowered import nginx
from tests.kit.lowered.nginx import ABSOLUTE, Source, locations, prefix, proxy, text


def pcre(regex: str, *, slot: int | None = None, ignore_case: bool = False) -> Pattern:
    """A pattern of nginx's."""
    return Pattern(regex=regex, dialect=Dialect.PCRE, ignore_case=ignore_case, slot=slot)


def nested_locations() -> Plan:
    """Nested prefixes and a nested regex come before the outer regex; each level has its own slash redirect."""
    at = Source("nested-locations.conf")
    docs = nginx.answer(302, location=text("https://docs.example.org/", Capture(slot=0, group=1), "/"))
    children = locations(
        exact={"/api/v2": "/api/v2"},
        prefixes=(prefix("/api/v2/", "/api/v2/"),),
        regexes=(table.Regex(pattern=pcre(r"^/api/(v\d+)/docs$", slot=0), route="docs", children=None),),
    )
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server("example.org")},
        tables={
            "main": locations(
                exact={"/api": "/api"},
                prefixes=(prefix("/", "/"), prefix("/api/", "/api/", children=children)),
                regexes=(table.Regex(pattern=pcre(r"\.json$"), route="json", children=None),),
            )
        },
        routes={
            "/": at.location("/", proxy("app")),
            "/api": at.slash("/api/"),
            "/api/": at.location("/api/", proxy("app")),
            "/api/v2": at.slash("/api/v2/"),
            "/api/v2/": at.location("/api/v2/", proxy("second")),
            "docs": at.location("~ ^/api/", docs),
            "json": at.location(r"~ \.json$", proxy("second")),
        },
        services={
            "app": at.upstream("app", nginx.endpoint("127.0.0.1:8001")),
            "second": at.upstream("second", nginx.endpoint("127.0.0.1:8002")),
        },
        slots=("1",),
    )


def prefix_against_regex() -> Plan:
    """`^~` keeps the regex away; timeouts and retries differ by location, the upstreams stay one each."""
    at = Source("prefix-against-regex.conf")
    patient = nginx.endpoint("127.0.0.1:8001", own_rest=nginx.rest(failures=3, seconds=30))
    picky = nginx.retry(service.Unsent(), service.Error(), service.Status(503))
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server()},
        tables={
            "main": locations(
                exact={"/favicon.ico": "/favicon.ico", "/static": "/static", "/media": "/media"},
                prefixes=(prefix("/static/", "/static/", stop=True), prefix("/media/", "/media/")),
                regexes=(table.Regex(pattern=pcre(r"\.(png|css)$", ignore_case=True), route="images", children=None),),
                otherwise="root",
            )
        },
        routes={
            "/favicon.ico": at.location("= /favicon.ico", nginx.answer(204)),
            "/static": at.slash("/static/", "^~ /static/"),
            "/static/": at.location("^~ /static/", replace(proxy("app"), transport="read 5s")),
            "/media": at.slash("/media/"),
            "/media/": at.location("/media/", proxy("media")),
            "images": at.location("~* ", replace(proxy("media"), retry=picky)),
            "root": at.location("server", nginx.files_of("html")),
        },
        services={
            "app": at.upstream("app", patient),
            "media": at.upstream(
                "media", nginx.endpoint("127.0.0.1:8002"), nginx.endpoint("127.0.0.1:8003", backup=True)
            ),
        },
        transports={"read 5s": nginx.transport(read_ms=5_000)},
    )


def proxy_pass_uri() -> Plan:
    """The matched prefix is replaced and encoded again; Location goes the other way, by prefix and by pattern."""
    at = Source("proxy-pass-uri.conf")
    shop = replace(
        proxy("app"),
        target=route.ReplacePrefix(prefix="/shop/", with_="/store/"),
        rewrite_location=(
            route.LocationRewrite(from_=text("http://app/store/"), pattern=None, base=ABSOLUTE, to=text("/shop/")),
            route.LocationRewrite(
                from_=(),
                pattern=pcre("^http://app:8001/(.*)$", slot=0),
                base=ABSOLUTE,
                to=text("/", Capture(slot=0, group=1)),
            ),
        ),
    )
    strip = replace(proxy("app"), target=route.ReplacePrefix(prefix="/strip", with_="/"), rewrite_location=())
    health = replace(
        proxy("127.0.0.1:8009"),
        target=route.ReplacePrefix(prefix="/health", with_="/live?full=1"),
        rewrite_location=(
            route.LocationRewrite(
                from_=text("http://127.0.0.1:8009/live?full=1"), pattern=None, base=ABSOLUTE, to=text("/health")
            ),
        ),
    )
    unnamed = replace(
        at.upstream("app", nginx.endpoint("127.0.0.1:8009")),
        origin=at.origin("127.0.0.1:8009", "proxy_pass http://127.0.0.1:8009"),
    )
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server()},
        tables={
            "main": locations(
                exact={"/shop": "/shop", "/health": "/health"},
                prefixes=(prefix("/shop/", "/shop/"), prefix("/strip", "/strip")),
                otherwise="root",
            )
        },
        routes={
            "/shop": at.slash("/shop/"),
            "/shop/": at.location("/shop/", shop),
            "/strip": at.location("/strip", strip),
            "/health": at.location("= /health", health),
            "root": at.location("server", nginx.files_of("html")),
        },
        services={"app": at.upstream("app", nginx.endpoint("127.0.0.1:8001")), "127.0.0.1:8009": unnamed},
        slots=("1",),
    )


def try_files() -> Plan:
    """Files, then a named location, a status or another URI."""
    at = Source("try-files.conf")
    served = nginx.files_of("/srv/www")
    page = text(Variable.PATH, ".html")
    index = route.Uri(table="main", uri=text("/index.html?", Variable.QUERY))
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server()},
        tables={
            "main": locations(
                prefixes=(prefix("/", "/"), prefix("/assets/", "/assets/"), prefix("/page/", "/page/")),
                named={"app": "@app"},
            )
        },
        routes={
            "/": at.location(
                "/",
                route.TryFiles(
                    files=served,
                    candidates=(text(Variable.PATH), text(Variable.PATH, "/")),
                    found=None,
                    otherwise=route.Name(table="main", name="app"),
                ),
            ),
            "/assets/": at.location(
                "/assets/",
                route.TryFiles(
                    files=served,
                    candidates=(text(Variable.PATH),),
                    found=None,
                    otherwise=route.Fail(FaultKind.NOT_FOUND),
                ),
            ),
            "/page/": at.location(
                "/page/", route.TryFiles(files=served, candidates=(page,), found=None, otherwise=index)
            ),
            "@app": at.location("@app", proxy("app")),
        },
        services={"app": at.upstream("app", nginx.endpoint("127.0.0.1:8001"))},
    )


def server_name_captures() -> Plan:
    """Exact, leading and trailing wildcards, a regex whose group becomes a variable; 444 for the rest."""
    at = Source("server-name-captures.conf")
    first, second, third = (number for number, line in enumerate(at.lines) if line == "server {")
    names = (
        listener.HostName(name=listener.Exact("_"), host="other"),
        listener.HostName(name=listener.Exact("www.example.org"), host="www"),
        listener.HostName(name=listener.Suffix(".static.example.org"), host="www"),
        listener.HostName(name=listener.Prefix("mail."), host="www"),
        listener.HostName(name=listener.Regex(pcre(r"^(?<tenant>[a-z0-9-]+)\.example\.org$", slot=0)), host="tenant"),
    )
    tenant = route.HeaderValue(name="X-Tenant", value=(NamedCapture(slot=0, group="tenant"),))
    regex = r"~^(?<tenant>[a-z0-9-]+)\.example\.org$"
    return nginx.whole(
        listeners={"*:8080": at.listen(hosts=listener.Hosts(names=names, default="other"))},
        hosts={
            "other": at.server("_", to="none", filters=("other script",), after=first),
            "www": at.server("www.example.org", to="none", filters=("www script",), after=second),
            "tenant": at.server(regex, after=third),
        },
        tables={"main": locations(prefixes=(prefix("/", "/"),)), "none": locations()},
        routes={
            "/": at.location("/", replace(proxy("app"), host=(Variable.HOST,)), filters=("headers",)),
        },
        filters={
            "other script": filter.Script((script.Close(),)),
            "www script": filter.Script((script.Return(nginx.answer(204)),)),
            "headers": filter.RequestHeaders((filter.Set(tenant),)),
        },
        services={"app": at.upstream("app", nginx.endpoint("127.0.0.1:8001"))},
        slots=("tenant",),
    )
