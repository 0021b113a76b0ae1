"""`proxy_pass` with variables, beside Debian's nginx: what they hold may be a name, an upstream, a URI, a whole URL."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.nginx import Nginx, is_installed
from tests.kit.nginx_command import Prefix
from tests.kit.origin import Origin, echo
from tests.kit.wire import Address, Client

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs nginx")

MAPS = """
upstream app { server ORIGIN; }
map $arg_to $to {
    default ORIGIN; app app; path ORIGIN/base; app-path app/base/; query ORIGIN?own=1; app-query app?own=1;
}
map $arg_to $url { default http://ORIGIN; app http://app; path HTTP://ORIGIN/base; app-path http://app/b; none ORIGIN; }
map $arg_to $name { default ORIGIN; app app; }
"""
LOCATIONS = """
location /address/ { set $b ORIGIN; proxy_pass http://$b; }
location /address-uri/ { set $b ORIGIN; proxy_pass http://$b/x/; }
location /address-request/ { set $b ORIGIN; proxy_pass http://$b$request_uri; }
location ~ ^/caught/(.*)$ { proxy_pass http://ORIGIN/q/$1$is_args$args; }
location ~ ^/open/(.+)$ { proxy_pass http://$1; }
location /name/ { proxy_pass http://$name; }
location /name-uri/ { proxy_pass http://$name/own; }
location /to/ { proxy_set_header X-Proxy $proxy_host; proxy_pass http://$to; }
location /to-uri/ { proxy_pass http://$to/more; }
location /to-rewritten/ { rewrite ^/to-rewritten/(.*) /z/$1 break; proxy_pass http://$to; }
location /base/ { set $b ORIGIN/base; proxy_pass http://$b$uri; }
location /url/ { proxy_set_header X-Proxy $proxy_host; proxy_pass $url; }
location /url-uri/ { proxy_pass $url/more?a=b; }
location /set-url/ { set $backend http://ORIGIN; proxy_pass $backend; }
location /scheme-end/ { rewrite ^/scheme-end(/.*) $1 break; proxy_pass http:/$uri; }
location /scheme/ { proxy_pass $scheme://app; }
location /scheme-uri/ { proxy_pass ${scheme}://app/s/; }
location /if/ { if ($arg_if) { proxy_pass $url; } proxy_pass http://app/plain; }
location /if-name/ { if ($arg_if) { proxy_pass http://$name; } return 204; }
location /limited/ { limit_except POST { proxy_pass $url; } proxy_pass http://app; }
location /tried/ { try_files /nothing @tried; }
location @tried { proxy_pass $url; }
location /field/ { proxy_pass http://$http_x_to; }
"""
TO = ["", "?to=app", "?to=path", "?to=app-path", "?to=query", "?to=app-query", "?to=none"]
TARGETS = [
    "/address/1%20x?q=2",
    "/address-uri/1?q=2",
    "/address-request/1%20x?q=2",
    "/caught/1?q=2",
    *(
        f"/{of}/a%2Fb%20c{to}"
        for of in ("name", "name-uri", "to", "to-uri", "to-rewritten", "url", "url-uri")
        for to in TO
    ),
    "/base/x?q=1",
    "/set-url/x%20y?q",
    "/scheme-end/app/x?q",
    "/scheme/x?q",
    "/scheme-uri/x?q",
    *(f"/{of}/x{to}{'&' if to else '?'}if=1" for of in ("if", "if-name") for to in TO),
    "/if/x",
    *(f"/{of}/x{to}" for of in ("limited", "tried") for to in TO),
]


@contextlib.contextmanager
def beside(locations: str) -> Iterator[tuple[Address, Address, Origin]]:
    """Addresses of Daemun and of nginx with the same configuration, and what they pass to."""
    with Origin(echo) as origin:
        text = (
            (MAPS + "server { listen PORT; LOCATIONS }")
            .replace("LOCATIONS", locations)
            .replace("ORIGIN", origin.address)
        )
        with Nginx(text.replace("listen PORT", "listen 127.0.0.1:PORT")) as nginx:
            http = text.replace("listen PORT", "listen 127.0.0.1:{port}")
            with Prefix(f"http {{ access_log off; {http} }}\n") as prefix:
                prefix.start()
                yield ("127.0.0.1", prefix.port), ("127.0.0.1", nginx.port), origin


def told(address: Address, target: str, *fields: str) -> Any:
    """Status, and the target, Host and X-Proxy that the upstream got."""
    with Client(address) as client:
        answer = client.request("GET", target, *fields)
    if answer.status != 200:
        return answer.status
    got = json.loads(answer.body)
    names = {name.lower(): value for name, value in got["headers"]}
    return answer.status, got["line"].split(" ")[1], names["host"], names.get("x-proxy")


def test_alike() -> None:
    """Every target reaches the upstream as nginx sends it there, with the same Host."""
    with beside(LOCATIONS) as (daemun, nginx, _):
        ours = {target: told(daemun, target) for target in TARGETS}
        theirs = {target: told(nginx, target) for target in TARGETS}
        assert sum(isinstance(answer, tuple) for answer in theirs.values()) > len(TARGETS) / 2
        assert ours == theirs


def test_what_the_client_names() -> None:
    """A field or a path of the request may name host and URI, as it may in nginx."""
    with beside(LOCATIONS) as (daemun, nginx, origin):
        asked = [("/field/", f"X-To: {origin.address}{uri}") for uri in ("", "/", "/a/b?c", "?d")]
        asked += [(f"/open/{origin.address}{uri}?q", "X: y") for uri in ("", "/", "/a/b")]
        assert [told(daemun, *one) for one in asked] == [told(nginx, *one) for one in asked]
