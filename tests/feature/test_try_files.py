"""Candidates, index files and error pages that are files: the same configuration for nginx and, lowered by hand, here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemun.nginx.lower import lower
from daemun.nginx.read import read_text
from daemun.plan.plan import to_tree
from tests.kit.engine import Engine
from tests.kit.file_tree import TYPES, make_tree, serving
from tests.kit.nginx import Both, Nginx, is_installed
from tests.kit.origin import Origin
from tests.kit.plans import Json, capture, files, pattern, proxy, route, service, text, variable
from tests.kit.ports import free_ports
from tests.kit.wire import Response

NGINX = """
    upstream app { server APP; }
    server {
        listen 127.0.0.1:PORT;
        absolute_redirect off;
        types { text/html html; text/plain txt; text/css css; application/javascript js; a/b bin; }
        root ROOT;
        location / { try_files $uri $uri/ @app; }
        location @app { proxy_set_header X-Here named; proxy_pass http://app; }
        location /sub/ { try_files $uri =404; }
        location /gone/ { try_files $uri =410; }
        location /page/ { try_files $uri.html /hello.txt?$args; }
        location /app/ { try_files $uri /dynamic?from=$uri&$args; }
        location /dynamic { proxy_pass http://app; }
        location /aliased/ { alias ROOT/; try_files $uri $uri/ /hello.txt; }
        location /through/ { alias ROOT/; try_files $uri =404; proxy_pass http://app; }
        location /bare/ { index none.html a.txt; }
        location /absolute/ { index none.html /sub/x.css; }
        location = /bare/a.txt { add_header X-Here index; }
        location /argument/ { alias ROOT/sub/; index $arg_i x.css; }
        location /inner/ { internal; alias ROOT/; }
        location /to-inner/ { try_files /none /inner/hello.txt; }
        location /loop/ { try_files /none /loop/again; }
        location /error/ { error_page 404 /hello.txt; error_page 403 =200 /sub/x.css; try_files $uri =404; }
        location /hollow/ { error_page 403 /one.txt; }
        location /missing/ { error_page 404 = /one.txt; }
        location /post/ { error_page 405 =200 $uri; alias ROOT/; }
        location /negated/ { if (!-d ROOT/sub) { return 400; } return 204; }
        location /executable/ { if (-x ROOT/hello.txt) { return 400; } return 204; }
        location ~ ^/re/(.+)$ { alias ROOT/$1; try_files "" .txt =404; }
        location ~ ^/whole/(.+)$ { alias ROOT/$1; }
        location /exists/ { if (-e ROOT/hollow) { return 204; } return 400; }
    }
"""
TARGETS = [
    "/",
    "/hello.txt",
    "/sub",
    "/sub/",
    "/sub/x.css",
    "/sub/none",
    "/hollow",
    "/hollow/",
    "/nowhere",
    "/nowhere/deeper?a=b",
    "/loop",
    "/fifo",
    "/gone/x",
    "/page/sub/x",
    "/page/index",
    "/page/none?q=1",
    "/app/hello.txt",
    "/app/x%20y?a=1",
    "/aliased/hello.txt",
    "/aliased/sub",
    "/aliased/sub/",
    "/aliased/none",
    "/through/hello.txt?q",
    "/through/none",
    "/through/sub/x.css",
    "/bare/",
    "/bare/a.txt",
    "/absolute/",
    "/absolute/?q=1",
    "/argument/",
    "/argument/?i=index.html",
    "/argument/?i=/hello.txt",
    "/inner/hello.txt",
    "/to-inner/x",
    "/loop/",
    "/loop/x",
    "/error/none",
    "/missing/x",
    "/missing/",
    "/negated/",
    "/executable/",
    "/exists/",
    "/re/hello",
    "/re/hello.txt",
    "/re/sub/x.css",
    "/re/none",
    "/re/sub",
    "/whole/hello.txt",
    "/whole/sub",
    "/whole/sub/",
    "/whole/none",
]
COMPARED = (
    "content-type",
    "content-length",
    "last-modified",
    "etag",
    "accept-ranges",
    "content-range",
    "location",
    "x-here",
)


def error_page(status: int, uri: str, answer: Json | str | None) -> Json:
    return {
        "statuses": [status],
        "faults": [],
        "recursive": False,
        "answer": {"jump": {"uri": {"table": "table", "uri": text(uri)}}},
        "status": answer,
    }


def lowered(root: str, app: str) -> Json:
    """NGINX, by hand."""
    path, query = variable("path"), variable("query")

    def at(prefix: str, to: str = f"{root}/", **fields: object) -> Json:
        return files(to, alias={"prefix": prefix}, index_table="table", **fields)

    def tries(where: Json, *candidates: object, otherwise: Json, found: str | None = None) -> Json:
        return {"try_files": {"files": where, "candidates": list(candidates), "found": found, "otherwise": otherwise}}

    def uri(*parts: object) -> Json:
        return {"jump": {"uri": {"table": "table", "uri": [one for part in parts for one in part]}}}  # type: ignore[attr-defined]

    whole = files(root, index_table="table")
    slash = [*path, *text("/")]
    lost: Json = {"fail": "not_found"}
    actions: dict[str, Json] = {
        "/": tries(whole, path, slash, otherwise={"jump": {"name": {"table": "table", "name": "app"}}}),
        "/sub/": tries(whole, path, otherwise=lost),
        "/gone/": tries(whole, path, otherwise={"respond": {"status": 410, "headers": [], "body": text("gone")}}),
        "/page/": tries(whole, [*path, *text(".html")], otherwise=uri(text("/hello.txt?"), query)),
        "/app/": tries(whole, path, otherwise=uri(text("/dynamic?from="), path, text("&"), query)),
        "/dynamic": proxy(target="current"),
        "/aliased/": tries(at("/aliased/"), path, slash, otherwise=uri(text("/hello.txt"))),
        "/through/": tries(at("/through/"), path, otherwise=lost, found="/dynamic"),
        "/bare/": {"files": {**whole, "index": [text("none.html"), text("a.txt")]}},
        "/absolute/": {"files": {**whole, "index": [text("none.html"), text("/sub/x.css")]}},
        "/bare/a.txt": {"files": whole},
        "/argument/": {"files": at("/argument/", f"{root}/sub/", index=[[{"argument": "i"}], text("x.css")])},
        "/inner/": {"files": at("/inner/")},
        "/to-inner/": tries(whole, text("/none"), otherwise=uri(text("/inner/hello.txt"))),
        "/loop/": tries(whole, text("/none"), otherwise=uri(text("/loop/again"))),
        "/error/": tries(whole, path, otherwise=lost),
        "/hollow/": {"files": whole},
        "/missing/": {"files": whole},
        "/negated/": {"respond": {"status": 204, "headers": [], "body": []}},
        "/executable/": {"respond": {"status": 204, "headers": [], "body": []}},
        "/exists/": {"respond": {"status": 400, "headers": [], "body": []}},
    }

    def unless(condition: Json, status: int) -> Json:
        answer = {"status": status, "headers": [], "body": []}
        return {"respond": {"when": condition, "respond": answer}}

    def test(name: str, kind: str) -> Json:
        return {"file": {"path": text(f"{root}/{name}"), "test": kind}}

    plan = serving(
        actions,
        services={"app": service(app)},
        filters={
            "here": {
                "response_headers": {"statuses": [200], "ops": [{"add": {"name": "X-Here", "value": text("index")}}]}
            },
            "named": {"request_headers": [{"set": {"name": "X-Here", "value": text("named")}}]},
            "error": {"error_pages": [error_page(404, "/hello.txt", "original")]},
            "hollow": {"error_pages": [error_page(403, "/one.txt", "original")]},
            "missing": {"error_pages": [error_page(404, "/one.txt", "answered")]},
            "negated": unless({"not": test("sub", "directory")}, 400),
            "executable": unless(test("hello.txt", "executable"), 400),
            "exists": unless(test("hollow", "exists"), 204),
        },
    )
    level = plan["tables"]["table"]["locations"]
    for slot, name in enumerate(("re", "whole")):
        aliased = {
            **files(""),
            "root": [*text(f"{root}/"), *capture(slot, 1)],
            "alias": "whole",
            "index_table": "table",
        }
        action = {"files": aliased} if name == "whole" else tries(aliased, [], text(".txt"), otherwise=lost)
        plan["routes"][name] = route(action)
        level["regexes"].append({"pattern": pattern(f"^/{name}/(.+)$", slot), "route": name, "children": None})
    plan["slots"] = ["1", "2"]
    level["named"] = [{"name": "app", "route": "named"}]
    plan["routes"]["named"] = route(proxy(target="raw"), filters=["named"])
    plan["routes"]["/bare/a.txt"]["filters"] = ["here"]
    plan["routes"]["/inner/"]["internal"] = True
    for name in ("error", "hollow", "missing", "negated", "executable", "exists"):
        plan["routes"][f"/{name}/"]["filters"] = [name]
    plan["mime_types"] = {"types": TYPES}
    return plan


def read(text: str) -> Json:
    """The Plan that the language makes of it."""
    made = lower(read_text(f"http {{ access_log off; default_type text/plain; {text} }}"))
    tree: Json = to_tree(made.whole)
    # The kit's name of the listener it asks.
    [one] = tree["listeners"].values()
    tree["listeners"] = {"web": one}
    return tree


@pytest.fixture(scope="module", params=["by hand", "by the language"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """nginx and the engine, over the same files and the same application."""
    if not is_installed():
        pytest.skip("nginx is not installed")
    root = make_tree(tmp_path_factory.mktemp("tries") / "root")
    with Origin() as origin:
        address = origin.address
        text_ = NGINX.replace("ROOT", str(root)).replace("APP", address)
        by_hand = request.param == "by hand"
        plan = lowered(str(root), address) if by_hand else read(text_.replace("PORT", str(free_ports(1)[0])))
        with Nginx(text_) as nginx, Engine(plan, threads=1) as engine:
            yield Both(engine=engine, nginx=nginx)


def shown(response: Response) -> object:
    """What is compared; of what the application echoes, the line it was asked with."""
    fields = {name: response.get(name) for name in COMPARED}
    if response.get("content-type") == "application/json" and response.body:
        line = response.body.split(b'"line"')[1].split(b",")[0]
        return response.status, line.replace(b"HTTP/1.0", b"HTTP/1.1"), b'"named"' in response.body
    if response.status in {204, 400, 410} or response.get("content-type") == "application/json":
        return response.status
    return response.status, fields, response.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_same_as_nginx(both: Both, method: str) -> None:
    """Files, directories, fallbacks, index files in other locations, pages of errors."""
    found = set()
    for target in TARGETS:
        answers = []
        for server in (both.engine, both.nginx):
            with server.client() as client:
                answers.append(client.request(method, target, body=b"x" if method == "POST" else b""))
        assert shown(answers[0]) == shown(answers[1]), f"{method} {target}"
        found.add(answers[0].status)
    assert found >= {200, 301, 404, 410, 500} if method == "GET" else found


def test_the_page_of_an_error_is_whole(both: Both) -> None:
    """Whatever the client has of it or wants of it."""
    for field in ("If-None-Match: *", "Range: bytes=0-1", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"):
        for target in ("/error/none", "/hollow/", "/missing/x"):
            answers = []
            for server in (both.engine, both.nginx):
                with server.client() as client:
                    answers.append(client.request("GET", target, field))
            assert shown(answers[0]) == shown(answers[1]), f"{target} {field}"
