"""The golden nginx.conf files under Debian's nginx, and their hand-lowered Plans in the engine, answer alike."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.engine import Engine
from tests.kit.nginx import Both, Nginx, is_installed
from tests.kit.origin import Origin, Visit
from tests.kit.plans import Json

GOLDEN = Path(__file__).parents[1] / "golden" / "plan"
ORIGINS = ["127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003", "127.0.0.1:8009"]
"""The applications that the files name; each tells which it is."""

Ask = tuple[str, str, list[str], str]
"""Method, target, fields, Host."""


def get(target: str, *fields: str, host: str = "example.org", method: str = "GET") -> Ask:
    return method, target, list(fields), host


ASKED: dict[str, list[Ask]] = {
    "if-and-set": [
        get("/"),
        get("/a?b", "X-Canary: 1", host="www.example.org"),
        get("/a", "User-Agent: curl/8.1"),
        get("/a", "User-Agent: curl/8.1", "X-Canary: 1"),
        get("/a", method="DELETE"),
    ],
    "map": [
        get("/", host="example.org"),
        get("/", host="a.b.example.org"),
        get("/", host="shop.anywhere.net"),
        get("/", host="ann.test"),
        get("/", host="other"),
    ],
    "nested-locations": [
        get("/"),
        get("/x.json?q"),
        get("/api"),
        get("/api?q=1"),
        get("/api/a%2Fb"),
        get("/api/v2"),
        get("/api/v2/a.json"),
        get("/api/v1/docs"),
        get("/api/v12/docs?q"),
    ],
    "rewrite-last": [
        get("/v1/a?q=1"),
        get("/old/a?q=1"),
        get("/old/"),
        get("/new"),
        get("/new/a%20b"),
        get("/paint/7?x"),
        get("/paint/7/"),
        get("/paint/no"),
        get("/api/x?q=1"),
        get("/nothing"),
    ],
    "server-name-captures": [
        get("/", host="www.example.org"),
        get("/", host="a.static.example.org"),
        get("/", host="mail.anywhere"),
        get("/a?b", host="shop-1.example.org"),
    ],
    "error-page-named": [
        get("/"),
        get("/status/404"),
        get("/status/404", method="POST"),
        get("/status/403"),
        get("/status/500"),
        get("/status/502", method="HEAD"),
        get("/status/504?q"),
        get("/50x.html"),
    ],
    "prefix-against-regex": [
        get("/favicon.ico"),
        get("/static/a.png"),
        get("/media/a.PNG"),
        get("/media"),
        get("/a.css?q"),
        get("/nothing"),
    ],
    "proxy-pass-uri": [
        get("/shop/a%2Fb/c?q=1"),
        get("/shop"),
        get("/strip"),
        get("/stripped/a"),
        get("/health"),
        get("/health?q"),
    ],
    "try-files": [
        get("/"),
        get("/there.txt"),
        get("/none"),
        get("/assets/there.css"),
        get("/assets/none.css"),
        get("/page/about?x=1"),
        get("/page/none?x=1"),
    ],
}

FILES = {
    "html/index.html": "index",
    "srv/errors/50x.html": "sorry",
    "srv/www/there.txt": "there",
    "srv/www/assets/there.css": "a {}",
    "srv/www/page/about.html": "about",
    "srv/www/index.html": "front",
}


def telling(name: str) -> object:
    """An application that says its name and what it was asked, and answers `/status/404` with that status."""

    def script(visit: Visit) -> None:
        while True:
            request = visit.read_request()
            code = request.target.partition("/status/")[2].partition("?")[0] or "200"
            told = {"line": request.line, "headers": request.headers, "body": request.body.decode("latin-1")}
            body = b"" if request.method == "HEAD" else json.dumps(told).encode()
            visit.answer(body, "Content-Type: application/json", f"X-App: {name}", status=f"{code} Said")

    return script


@contextlib.contextmanager
def golden(name: str, folder: Path) -> Iterator[Both]:
    """The file under nginx and its Plan in the engine, with the same applications and files."""
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    conf = (GOLDEN / f"{name}.conf").read_text().replace("listen 8080", "listen PORT")
    plan = (GOLDEN / f"{name}.json").read_text().replace('"literal": "html"', f'"literal": "{folder}/html"')
    plan = plan.replace('"logs/access.log"', f'"{folder}/access.log"')
    with contextlib.ExitStack() as stack:
        for number, address in enumerate(ORIGINS):
            origin = stack.enter_context(Origin(telling(f"app{number}")))  # type: ignore[arg-type]
            conf, plan = (text.replace(address, origin.address) for text in (conf, plan))
        conf, plan = (text.replace("/srv/", f"{folder}/srv/") for text in (conf, plan))
        lowered = json.loads(plan)
        (listener,) = lowered["listeners"].values()
        lowered["listeners"] = {"web": {**listener, "bind": {"tcp": {"host": "127.0.0.1", "port": 0}}}}
        nginx = stack.enter_context(Nginx(f"root {folder}/html;\n{conf}"))
        yield Both(engine=stack.enter_context(Engine(lowered)), nginx=nginx)


def same_place(answer: Json, port: int) -> Json:
    """A Location that names nginx's own port names the one in the file."""
    location = answer["location"]
    return {**answer, "location": location and location.replace(f":{port}/", ":8080/")}


@pytest.mark.skipif(not is_installed(), reason="nginx is not installed")
@pytest.mark.parametrize("name", sorted(ASKED))
def test_answers_alike(name: str, tmp_path: Path) -> None:
    """Status, Location, fields, the application that was asked and what it was asked, or the file's content."""
    with golden(name, tmp_path) as servers:
        for method, target, fields, host in ASKED[name]:
            body = b"some body" if method == "POST" else b""
            engine, nginx = servers.ask(method, target, *fields, host=host, body=body)
            assert engine == same_place(nginx, servers.nginx.port), (method, target, fields, host)
