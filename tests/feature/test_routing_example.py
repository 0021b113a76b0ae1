"""examples/routing in both languages, as it stands but for addresses: files, and two applications by path."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.daemun import Instance
from tests.kit.engine import ROOT
from tests.kit.ports import free_ports
from tests.kit.uvicorn import Uvicorn
from tests.kit.wire import Client

EXAMPLE = ROOT / "examples" / "routing"


@contextlib.contextmanager
def applications() -> Iterator[dict[str, str]]:
    """Both, and which address stands for which."""
    source = (EXAMPLE / "app.py").read_text()
    with Uvicorn(source, env={"APP": "api"}) as api, Uvicorn(source, env={"APP": "auth"}) as auth:
        yield {"127.0.0.1:8001": api.address, "127.0.0.1:8002": auth.address}


def copy_with(folder: Path, addresses: dict[str, str]) -> None:
    """The example in a folder of its own, at other addresses."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    for path in (folder / "daemun.toml", folder / "routes.toml", folder / "nginx.conf"):
        text = path.read_text()
        for old, new in addresses.items():
            text = text.replace(old, new)
        path.write_text(text)


@pytest.fixture(scope="module", params=["daemun.toml", "nginx.conf"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of the gate."""
    [port] = free_ports(1)
    with applications() as addresses, Instance() as instance:
        listening = {'":8080"': f'"127.0.0.1:{port}"', "listen 8080": f"listen 127.0.0.1:{port}"}
        copy_with(instance.path, {**addresses, **listening})
        instance.run(config=request.param)
        with Client(("127.0.0.1", port)) as client:
            yield client


def test_each_path_has_its_application(client: Client) -> None:
    """The path goes on whole, and the application sees the client."""
    for name in ("api", "auth"):
        response = client.request("GET", f"/{name}/users/7?x=1")
        assert json.loads(response.body) == {"app": name, "path": f"/{name}/users/7", "client": "127.0.0.1"}


def test_files(client: Client) -> None:
    """Files of the folder, with their types; 304 for what the client has; parts; another method is refused."""
    style = client.request("GET", "/static/style.css")
    assert style.body == (EXAMPLE / "static" / "style.css").read_bytes()
    assert (style.get("content-type") or "").startswith("text/css")
    assert client.request("GET", "/static/style.css", f"If-None-Match: {style.get('etag')}").status == 304
    assert client.request("GET", "/static/style.css", "Range: bytes=0-3").body == b"body"
    page = client.request("GET", "/static/")
    assert page.body == (EXAMPLE / "static" / "index.html").read_bytes()
    assert (page.get("content-type") or "").startswith("text/html")
    assert client.request("PUT", "/static/style.css").status == 405


def test_nothing_of_the_rest(client: Client) -> None:
    """What stands beside the folder is not served, however it is asked for."""
    for path in ("/static/../routes.toml", "/static/%2e%2e/routes.toml", "/static/..%2froutes.toml", "/routes.toml"):
        response = client.request("GET", path)
        assert response.status == 404, path
        assert b"routers" not in response.body
