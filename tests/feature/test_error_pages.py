"""Error pages: the same configuration for nginx and, lowered by hand, for the engine answers alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.nginx import Both, both, is_installed
from tests.kit.origin import Origin, Visit, dead
from tests.kit.plans import (
    Json,
    locations,
    nginx_policy,
    plan,
    proxy,
    route,
    service,
    text,
    variable,
)

NGINX = r"""
upstream app { server APP; }
upstream legacy { server LEGACY; }
server {
    listen PORT;
    error_page 500 502 503 504 /50x;
    location / {
        proxy_pass http://app;
        proxy_intercept_errors on;
        error_page 404 = @fallback;
        error_page 403 =301 https://login.example.org/;
        error_page 410 https://gone.example.org/?from=$uri;
        error_page 401 /401;
        error_page 409 =200 /ok;
        error_page 418 =299 /answered?and=$request_method;
        error_page 500 502 503 504 =503 /50x;
    }
    location @fallback { proxy_pass http://legacy; }
    location = /50x { internal; return 200 "sorry $request_method"; }
    location = /401 { return 200 "who are you"; }
    location = /ok { return 200 "fine"; }
    location = /answered { proxy_pass http://legacy; }
    location /plain/ { proxy_pass http://app; }
    location /dead/ { proxy_pass http://DEAD; error_page 502 = @fallback; }
    location /deaduri/ { proxy_pass http://DEAD; error_page 502 /legacy/page; }
    location /legacy/ { proxy_pass http://legacy; }
    location /ret/ { error_page 405 /legacy/405; return 405; }
    location /rec/ { recursive_error_pages on; error_page 404 = /rec2/; return 404; }
    location /rec2/ { recursive_error_pages on; error_page 403 /rec3/; return 403; }
    location /rec3/ { return 200 "three"; }
    location /non/ { error_page 404 = /non2/; return 404; }
    location /non2/ { error_page 403 /rec3/; return 403; }
    location /loop/ { recursive_error_pages on; error_page 404 /loop/; return 404; }
    location /big/ { client_max_body_size 10; error_page 413 = /rec3/; proxy_pass http://app; }
    location /bigproxy/ { client_max_body_size 10; error_page 413 = /legacy/big; proxy_pass http://app; }
    location /twice/ {
        error_page 404 = /legacyagain/status/404;
        proxy_intercept_errors on;
        proxy_pass http://app/status/404;
    }
    location /legacyagain/ {
        proxy_intercept_errors on;
        error_page 404 /ok;
        proxy_pass http://legacy/;
    }
}
"""


def by_path(visit: Visit) -> None:
    """Answers `/…status/404` with that status, everything else with 200, and tells what came."""
    while True:
        request = visit.read_request()
        told = {"line": request.line, "headers": request.headers, "body": request.body.decode("latin-1")}
        _, _, code = request.target.partition("status/")
        extra = ['WWW-Authenticate: Basic realm="app"'] if code == "401" else []
        fields = ["Content-Type: application/json", *extra]
        body = b"" if request.method == "HEAD" else json.dumps(told).encode()
        visit.answer(body, *fields, status=f"{code or 200} Said")


def page(statuses: list[int], answer: Json, status: Any = "original", *, recursive: bool = False) -> Json:
    return {"statuses": statuses, "faults": [], "recursive": recursive, "answer": answer, "status": status}


def to_uri(uri: list[Json]) -> Json:
    return {"jump": {"uri": {"table": "table", "uri": uri}}}


def to_url(location: list[Json], status: int) -> Json:
    return {"redirect": {"location": location, "respond": {"status": status, "headers": [], "body": []}}}


def to_name(name: str) -> Json:
    return {"jump": {"name": {"table": "table", "name": name}}}


FAILURES = [500, 502, 503, 504]
PAGES: dict[str, list[Json]] = {
    "server": [page(FAILURES, to_uri(text("/50x")))],
    "/": [
        page([404], to_name("fallback"), "answered"),
        page([403], to_url(text("https://login.example.org/"), 301), {"fixed": 301}),
        page([410], to_url([*text("https://gone.example.org/?from="), *variable("path")], 302)),
        page([401], to_uri(text("/401"))),
        page([409], to_uri(text("/ok")), {"fixed": 200}),
        page([418], to_uri([*text("/answered?and="), *variable("method")]), {"fixed": 299}),
        page(FAILURES, to_uri(text("/50x")), {"fixed": 503}),
    ],
    "/dead/": [page([502], to_name("fallback"), "answered")],
    "/deaduri/": [page([502], to_uri(text("/legacy/page")))],
    "/ret/": [page([405], to_uri(text("/legacy/405")))],
    "/rec/": [page([404], to_uri(text("/rec2/")), "answered", recursive=True)],
    "/rec2/": [page([403], to_uri(text("/rec3/")), recursive=True)],
    "/non/": [page([404], to_uri(text("/non2/")), "answered")],
    "/non2/": [page([403], to_uri(text("/rec3/")))],
    "/loop/": [page([404], to_uri(text("/loop/")), recursive=True)],
    "/big/": [page([413], to_uri(text("/rec3/")), "answered")],
    "/bigproxy/": [page([413], to_uri(text("/legacy/big")), "answered")],
    "/twice/": [page([404], to_uri(text("/legacyagain/status/404")), "answered")],
    "/legacyagain/": [page([404], to_uri(text("/ok")))],
}


def says(status: int, *body: Json) -> Json:
    return {"respond": {"status": status, "headers": [], "body": list(body)}}


def lowered(app: str, legacy: str, nowhere: str) -> Json:
    """What NGINX says, as a Plan."""
    actions: Json = {
        "/": proxy(target="raw", intercept_errors=True),
        "/plain/": proxy(target="raw"),
        "/legacy/": proxy("legacy", target="raw"),
        "/dead/": proxy("nowhere", target="raw"),
        "/deaduri/": proxy("nowhere", target="raw"),
        "/ret/": says(405),
        "/rec/": says(404),
        "/rec2/": says(403),
        "/rec3/": says(200, *text("three")),
        "/non/": says(404),
        "/non2/": says(403),
        "/loop/": says(404),
        "/big/": proxy(target="raw"),
        "/bigproxy/": proxy(target="raw"),
        "/twice/": proxy(target={"template": text("/status/404")}, intercept_errors=True),
        "/legacyagain/": proxy(
            "legacy", target={"replace_prefix": {"prefix": "/legacyagain/", "with": "/"}}, intercept_errors=True
        ),
        "/50x": says(200, *text("sorry "), *variable("method")),
        "/401": says(200, *text("who are you")),
        "/ok": says(200, *text("fine")),
        "/answered": proxy("legacy", target="raw"),
    }
    routes = {
        name: route(action, filters=[f"{name} pages" if name in PAGES else "server pages"])
        for name, action in actions.items()
    }
    routes["/50x"]["internal"] = True
    routes["/big/"]["body_bytes"] = routes["/bigproxy/"]["body_bytes"] = 10
    routes["fallback"] = route(proxy("legacy", target="raw"), filters=["server pages"])
    return plan(
        app,
        http=nginx_policy(),
        services={"legacy": service(legacy), "nowhere": service(nowhere)},
        filters={f"{name} pages": {"error_pages": pages} for name, pages in PAGES.items()},
        host_filters=["server pages"],
        routes=routes,
        tables={
            "table": locations(
                exact={name: name for name in actions if not name.endswith("/")},
                prefixes={name: name for name in actions if name.endswith("/")},
                named={"fallback": "fallback"},
            )
        },
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[Both]:
    if not is_installed():
        pytest.skip("nginx is not installed")
    with Origin(by_path) as app, Origin(by_path) as legacy, dead() as nowhere:
        http = NGINX.replace("APP", app.address).replace("LEGACY", legacy.address).replace("DEAD", nowhere)
        with both(lowered(app.address, legacy.address, nowhere), http) as servers:
            yield servers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    "target",
    [
        *(f"/status/{status}" for status in (200, 301, 401, 403, 404, 405, 409, 410, 418, 500, 503)),
        "/plain/status/404",
        "/plain/status/500",
        "/dead/a?b",
        "/deaduri/a?b",
        "/ret/",
        "/rec/",
        "/non/",
        "/loop/",
        "/twice/",
        "/50x",
    ],
)
def test_pages_as_nginx_has_them(servers: Both, method: str, target: str) -> None:
    """Status, fields, and what the page's own application was asked are nginx's."""
    body = b"some body" if method == "POST" else b""
    engine, nginx = servers.ask(method, target, body=body)
    assert engine == nginx
