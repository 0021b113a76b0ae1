"""examples/routing in Traefik's language, as it stands but for addresses: files, and two applications by path."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.daemun import Instance
from tests.kit.engine import ROOT
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


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of the gate."""
    with applications() as addresses, Instance() as instance:
        copy_with(instance.path, {**addresses, '":8080"': '"127.0.0.1:0"'})
        instance.run()
        with Client(instance.address()) as client:
            yield client


def test_each_path_has_its_application(client: Client) -> None:
    """The path goes on whole, and the application sees the client."""
    for name in ("api", "auth"):
        response = client.request("GET", f"/{name}/users/7?x=1")
        assert json.loads(response.body) == {"app": name, "path": f"/{name}/users/7", "client": "127.0.0.1"}


def test_files(client: Client) -> None:
    """Files of the folder, with their types; a 304 for what the client has; nothing of the rest of the example."""
    style = client.request("GET", "/static/style.css")
    assert style.body == (EXAMPLE / "static" / "style.css").read_bytes()
    assert style.get("content-type") == "text/css; charset=utf-8"
    assert client.request("GET", "/static/style.css", f"If-None-Match: {style.get('etag')}").status == 304
    assert client.request("GET", "/static/").get("content-type") == "text/html; charset=utf-8"
    assert client.request("GET", "/static/style.css", "Range: bytes=0-3").body == b"body"
    for path in ("/static/../routes.toml", "/static/%2e%2e/routes.toml", "/static/..%2froutes.toml", "/routes.toml"):
        assert client.request("GET", path).status == 404, path
    assert client.request("POST", "/static/style.css").get("allow") == "GET, HEAD"
