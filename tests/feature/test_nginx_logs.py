"""nginx's access logs end to end: one text for Debian's nginx and, lowered, for the engine writes the same lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemun.nginx.lower import lower
from daemun.nginx.read import read_text
from daemun.plan.plan import to_tree
from tests.kit.engine import Engine
from tests.kit.nginx import Nginx, is_installed
from tests.kit.origin import Origin, answering
from tests.kit.ports import free_ports
from tests.kit.waiting import until
from tests.kit.wire import Client

HTTP = r"""
upstream app { server APP; }
map $status $loggable { ~^4 0; default 1; }
log_format plain '$remote_addr [$host] "$request" $request_method $uri $args $is_args $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" $scheme $server_protocol $server_name $remote_user '
    '$upstream_status $sent_http_x_said $sent_http_content_type $upstream_http_x_said $cookie_a $arg_b $pipe';
log_format json escape=json '{"agent":"$http_user_agent","referer":"$http_referer","request":"$request","none":"$http_none"}';
log_format bare escape=none '$http_user_agent|$http_none|$status';
server {
    listen PORT;
    server_name logged;
    access_log DIRECTORY/plain.log plain;
    access_log DIRECTORY/json.log json buffer=4k flush=1s;
    access_log DIRECTORY/bare.log bare if=$loggable;
    add_header X-Said "$arg_b";
    location / { proxy_pass http://app; }
    location /own/ { return 200 "own text"; }
    location /bad/ { return 404; }
    location /quiet/ { access_log off; return 200 quiet; }
    location /apart/ { access_log DIRECTORY/apart.log bare; return 201 apart; }
}
"""
NAMES = ("plain", "json", "bare", "apart")
REQUESTS: list[tuple[str, list[str]]] = [
    ("/a%20b?b=1&c", ["User-Agent: agent/1.0", "Referer: http://x/"]),
    ("/own/?b=%22", ['User-Agent: a "quoted" \\ agent', "Cookie: a=7; b=8"]),
    ("/own/", ["User-Agent: tab\there", "Referer: caf\xe9"]),
    ("/bad/x", ["User-Agent: late"]),
    ("/quiet/", ["User-Agent: nobody"]),
    ("/apart/", ["User-Agent: apart"]),
    ("/own/end", ["User-Agent: end"]),
]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[list[str], list[str]]]]:
    """What stands in each log of the engine and of nginx after all requests."""
    if not is_installed():
        pytest.skip("nginx is not installed")
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    with Origin(answering(b"hello")) as app:
        http = HTTP.replace("APP", app.address)
        port = free_ports(1)[0]
        read = read_text(f"http {{ {http.replace('PORT', str(port)).replace('DIRECTORY', str(ours))} }}")
        tree = to_tree(lower(read).whole)
        with Nginx(http.replace("DIRECTORY", str(theirs))) as nginx, Engine(tree):
            for client in (Client(("127.0.0.1", port)), nginx.client()):
                with client:
                    for target, fields in REQUESTS:
                        assert client.request("GET", target, *fields).status in {200, 201, 404}
            until(lambda: _ended(ours) and _ended(theirs), what="the last lines")
            yield {name: (_lines(ours, name), _lines(theirs, name)) for name in NAMES}


def _text(path: Path) -> str:
    return path.read_text("latin-1") if path.exists() else ""


def _ended(folder: Path) -> bool:
    return "end" in _text(folder / "json.log")


def _lines(folder: Path, name: str) -> list[str]:
    return _text(folder / f"{name}.log").splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_nginxs(lines: dict[str, tuple[list[str], list[str]]], name: str) -> None:
    """Formats, escapes, `if=`, `off`, a log of a location's own."""
    ours, theirs = lines[name]
    assert ours == theirs
    assert ours
