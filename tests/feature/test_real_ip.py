"""The client's address from a field of a trusted peer: the same for nginx and, lowered by hand, for the engine."""

from __future__ import annotations

import contextlib

import pytest

from tests.kit.engine import Engine
from tests.kit.nginx import Nginx, is_installed
from tests.kit.plans import Json, nginx_policy, plan, route, text, variable
from tests.kit.wire import Client

TRUSTED = ["127.0.2.0/24", "10.0.0.0/8", "::1"]
NGINX = """
server {
    listen PORT;
    set_real_ip_from 127.0.2.0/24; set_real_ip_from 10.0.0.0/8; set_real_ip_from ::1;
    real_ip_header HEADER; real_ip_recursive RECURSIVE;
    location / {
        deny 6.6.6.6;
        return 200 "$remote_addr|$remote_port|$realip_remote_addr|$proxy_add_x_forwarded_for";
    }
}
"""

SAID = [*variable("client_ip"), *text("|"), *variable("client_port"), *text("|"), *variable("peer_ip")]
LISTS = [
    [],
    ["1.2.3.4"],
    ["1.2.3.4, 10.1.1.1"],
    ["9.9.9.9, 1.2.3.4, 10.1.1.1,10.2.2.2"],
    ["10.2.2.2, 10.1.1.1"],
    ["nonsense, 10.1.1.1"],
    ["1.2.3.4, nonsense"],
    ["1.2.3.4:88"],
    ["2001:db8::1"],
    ["[2001:db8::1]:99, ::1"],
    ["1.2.3.4", "10.1.1.1"],
    ["1.2.3.4 10.1.1.1"],
    ["1.2.3.4,"],
]


def lowered(header: str, *, recursive: bool) -> Json:
    body = [*SAID, *text("|"), *variable("proxy_add_forwarded_for")]
    action = {"respond": {"status": 200, "headers": [], "body": body}}
    real_ip = {"real_ip": {"trusted": TRUSTED, "header": header, "recursive": recursive}}
    return plan(
        "127.0.0.1:1",
        http=nginx_policy(),
        filters={"real": real_ip},
        host_filters=["real"],
        routes={"app": route(action)},
    )


@pytest.mark.skipif(not is_installed(), reason="needs nginx")
@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Client"])
def test_as_nginx_does(header: str, *, recursive: bool) -> None:
    """Lists of every kind, from trusted peers and others: address, port, peer, and what goes on in X-Forwarded-For."""
    http = NGINX.replace("HEADER", header).replace("RECURSIVE", "on" if recursive else "off")
    with Nginx(http) as nginx, Engine(lowered(header, recursive=recursive)) as engine:
        for source in ("127.0.0.1", "127.0.2.7"):
            for lines in LISTS:
                if header == "X-Client" and len(lines) > 1:
                    continue  # nginx 1.22 reads one line of any other field
                said = []
                for address in (engine.address(), ("127.0.0.1", nginx.port)):
                    with Client(address, source=source) as client:
                        port = str(client.socket.getsockname()[1])
                        text_said = client.request("GET", "/", *(f"{header}: {line}" for line in lines)).text
                        said.append(text_said.replace(port, "PORT"))
                assert said[0] == said[1], (source, lines)


def test_access_and_hashes_see_it() -> None:
    """Address gates judge the client the field names; HTTP keep-alive: the next request is the peer's again."""
    whole = lowered("X-Real-IP", recursive=False)
    gate = {"address": [{"allow": False, "network": "6.6.6.6"}]}
    whole["filters"]["gate"] = {"access": {"satisfy": "all", "gates": [gate]}}
    whole["routes"]["app"]["filters"] = ["gate"]
    with Engine(whole) as engine, contextlib.closing(engine.client(source="127.0.2.9")) as client:
        assert client.request("GET", "/", "X-Real-IP: 6.6.6.6").status == 403
        assert client.request("GET", "/", "X-Real-IP: 6.6.6.7").text.startswith("6.6.6.7||127.0.2.9|")
        assert client.request("GET", "/").text.startswith("127.0.2.9|")
