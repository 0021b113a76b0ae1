"""X-Accel-Redirect: an endpoint hands its response over; the same for nginx and, lowered by hand, for the engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.engine import Engine
from tests.kit.nginx import Both, Nginx, is_installed, seen
from tests.kit.origin import Origin, Visit
from tests.kit.plans import Json, files, locations, nginx_policy, plan, proxy, route, service, text

NGINX = r"""
upstream app { server APP; }
upstream other { server OTHER; }
server {
    listen PORT;
    location / { proxy_set_header X-First 1; proxy_pass http://app; }
    location /ignored/ { proxy_ignore_headers X-Accel-Redirect; proxy_pass http://app; }
    location /files/ { internal; alias ROOT/; }
    location /other/ { internal; proxy_pass http://other; }
    location /text/ { return 200 "text $request_method $uri $args"; }
    location @named { proxy_pass http://other; }
    location /loop/ { internal; proxy_pass http://app; }
    location = /gone { return 410; }
}
"""

FIELDS = [
    "Content-Type: application/x-own",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "Content-Disposition: attachment",
    "Cache-Control: private",
    "Expires: Thu, 01 Jan 2030 00:00:00 GMT",
    "X-Lost: 1",
    "ETag: W/own",
    "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT",
]


def handing(visit: Visit) -> None:
    """Sends every exchange where its query says; a loop sends it to itself."""
    while True:
        request = visit.read_request()
        target = request.target.partition("?to=")[2] or request.target
        visit.answer(b"never seen", f"X-Accel-Redirect: {target}", *FIELDS, status="202 Own")


def telling(visit: Visit) -> None:
    while True:
        request = visit.read_request()
        said = f"{request.method} {request.target} {request.get('x-first')} {request.body.decode()}"
        visit.answer(
            b"" if request.method == "HEAD" else said.encode(), "Content-Type: text/x-other", "Set-Cookie: c=3"
        )


def lowered(app: str, other: str, root: str) -> Json:
    def passing(to: str = "app", *, accel: bool = True) -> Json:
        hide = ["x-accel-redirect"]
        held = {"buffer": {"memory": 16_384}}
        return proxy(to, target="raw", accel=accel, hide=hide, request_body=held)

    said = [*text("text "), {"variable": "method"}, *text(" "), {"variable": "path"}, *text(" "), {"variable": "query"}]
    plain = [{"name": "Content-Type", "value": text("text/plain")}]
    return plan(
        app,
        http=nginx_policy(),
        mime_types={"types": {"txt": "text/plain"}},
        services={"other": service(other)},
        filters={"first": {"request_headers": [{"set": {"name": "X-First", "value": text("1")}}]}},
        routes={
            "app": route(passing(), filters=["first"]),
            "ignored": route(passing(accel=False)),
            "files": {**route({"files": files(root, alias={"prefix": "/files"})}), "internal": True},
            "other": {**route(passing("other")), "internal": True},
            "text": route({"respond": {"status": 200, "headers": plain, "body": said}}),
            "named": route(passing("other")),
            "loop": {**route(passing()), "internal": True},
            "gone": route({"respond": {"status": 410, "headers": [], "body": text("<center>nginx</center>")}}),
        },
        tables={
            "table": locations(
                exact={"/gone": "gone"},
                prefixes={
                    "/": "app",
                    "/ignored/": "ignored",
                    "/files/": "files",
                    "/other/": "other",
                    "/text/": "text",
                    "/loop/": "loop",
                },
                named={"named": "named"},
            )
        },
    )


@pytest.fixture(scope="module")
def pair() -> Iterator[Both]:
    if not is_installed():
        pytest.skip("needs nginx")
    with tempfile.TemporaryDirectory() as root, Origin(handing) as app, Origin(telling) as other:
        Path(root).chmod(0o755)
        Path(root, "a b.txt").write_text("of a file")
        http = NGINX.replace("APP", app.address).replace("OTHER", other.address).replace("ROOT", root)
        whole = lowered(app.address, other.address, root)
        pages = {k: {**a, "body": text("<center>nginx</center>")} for k, a in whole["faults"]["faults"].items()}
        whole["faults"]["faults"] = pages
        with Nginx(http) as nginx, Engine(whole) as engine:
            yield Both(engine=engine, nginx=nginx)


CARRIED = ["content-type", "set-cookie", "content-disposition", "cache-control", "expires"]


@pytest.mark.parametrize(
    "target",
    [
        "/?to=/files/a%20b.txt",
        "/?to=/files/none.txt",
        "/?to=/files/../files/a%20b.txt",
        "/?to=/../etc/passwd",
        "/?to=/text/a%20b?x=%201",
        "/?to=/text/",
        "/?to=/other/x%2Fy?q=1",
        "/?to=@named",
        "/?to=@nobody",
        "/?to=/gone",
        "/?to=/loop/",
        "/?to=http://elsewhere/",
        "/ignored/?to=/text/",
        "/files/a%20b.txt",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_as_nginx_does(pair: Both, method: str, target: str) -> None:
    """Files, answers, other endpoints, names, loops, and what leads nowhere; status, body and the fields that go along."""
    answers = []
    for server in (pair.engine, pair.nginx):
        with server.client() as client:
            response = client.request(method, target, body=b"sent" if method == "POST" else b"")
            carried = {name: response.all(name) for name in CARRIED} if response.status < 300 else {}
            answers.append({**seen(response), **carried, "lost": response.get("x-lost")})
            assert response.closes or client.request("GET", "/?to=/text/").status == 200
    assert answers[0] == answers[1]
