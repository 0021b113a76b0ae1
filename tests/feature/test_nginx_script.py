"""nginx's rewriting, tables and error pages end to end: one text for Debian's nginx and, lowered, for the engine.

What differs on purpose is not asked here. Ports stand in Location and in pages: each server's own is called PORT.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from daemun.nginx.lower import lower
from daemun.nginx.read import read_text
from daemun.plan.plan import to_tree
from tests.kit.engine import Engine
from tests.kit.nginx import Both, Nginx, is_installed
from tests.kit.origin import Origin
from tests.kit.plans import Json
from tests.kit.ports import free_ports

HTTP = r"""
upstream app { server APP; }
map $http_x_kind $kind {
    default      other;
    ""           none;
    Large        big;
    ~*^small-(.) tiny-$1;
    \default     word;
}
map $host $site {
    hostnames;
    default       nobody;
    .example.org  main;
    *.a.test      star;
    www.*         www;
    ~^(?<first>[a-z]+)\.re\.test$ re-$first;
}
map $uri$is_args$args $whole { default $request_method; ~\?secret= hidden; }
geo $arg_ip $where { default nowhere; 10.0.0.0/8 ten; 10.1.0.0/16 ten-one; 10.1.2.3 exact; 2001:db8::/32 six; delete 10.1.0.0/16; }
geo $arg_ip $client { default direct; proxy 10.0.0.0/8; proxy_recursive; 1.2.3.4 far; 10.0.0.0/8 near; }
geo $arg_ip $range { ranges; default none; 10.0.0.0-10.0.0.255 a; 10.0.0.10-10.0.0.19 b; }
split_clients "${arg_key}salt" $variant { 10% ten; 33.3% third; * rest; }
server {
    listen PORT;
    server_name _;
    add_header X-Kind $kind always;
    error_page 404 /errors/404;
    error_page 410 = @gone;
    error_page 418 =200 /errors/tea;
    error_page 403 http://login.test/?from=$uri;
    set $colour blue;

    location / { return 404; }
    location /tables/ { return 200 "$kind|$site|$whole"; }
    location /geo { return 200 "$where|$range|$client"; }
    location /split { return 200 $variant; }
    location /vars/ {
        return 200 "$host|$http_host|$uri|$document_uri|$request_uri|$args|$query_string|$is_args|$arg_a|$arg_B|$cookie_C|$request_method|$scheme|$https|$server_protocol|$content_length|$content_type|$server_name|$remote_addr|$proxy_add_x_forwarded_for|${http_x_y}z|$remote_user|$http2|$pipe";
    }
    location = /type.html { return 200 page; }
    location /type/ { types { text/css css; image/x-y png; } default_type a/b; return 200 typed; }
    location /type-none/ { types { } default_type ""; return 200 typed; }
    location /r/301 { return 301 /new; }
    location /r/302 { return 302 http://other.test$request_uri; }
    location /r/303 { return 303 $scheme://other.test/; }
    location /r/307 { return 307 $uri/x; }
    location /r/308 { return 308 "/a b"; }
    location /r/url { return http://other.test/; }
    location /r/204 { return 204; }
    location /r/204t { return 204 text; }
    location /r/304 { return 304; }
    location /r/400 { return 400; }
    location /r/404 { return 404; }
    location /r/404t { return 404 "my own"; }
    location /r/410 { return 410; }
    location /r/418 { return 418; }
    location /r/403 { return 403; }
    location /r/500 { return 500; }
    location /r/503t { return 503 busy; }
    location /errors/ { internal; return 200 "page $uri $status"; }
    location @gone { return 200 "was $uri"; }

    location /query/ { set $args "$args&more=$arg_a"; proxy_pass http://app; }
    location /query-gone/ { set $args ""; proxy_pass http://app; }
    location /re/ { rewrite ^/re/(\w+)/(\w+)$ /$2/$1 redirect; rewrite ^/re/(.*)$ /to/$1? permanent; proxy_pass http://app; }
    location /re-break/ { rewrite ^/re-break/(.*)$ /x/$1?a=1 break; proxy_pass http://app; }
    location ~ ^/(?<user>u\d)/(.*)$ {
        set $tail $2;
        if ($tail ~ "^(?<first>[^/]*)/") { set $tail "$first+$1"; }
        proxy_set_header X-User $user;
        proxy_set_header X-Tail $tail;
        proxy_set_header X-Colour $colour;
        proxy_pass http://app;
    }
    location /if/ {
        if ($http_x_a = "") { set $mode empty; }
        if ($http_x_a) { set $mode set; }
        if ($http_x_a != one) { set $mode "${mode}-not-one"; }
        if ($http_x_a ~* ^T(w)o$) { set $mode "${mode}-two-$1"; }
        if ($http_x_a !~ ^t) { set $mode "${mode}-no-t"; }
        proxy_pass http://app;
        return 200 $mode;
    }
    location /lang/ {
        set $lang en;
        if ($uri ~ ^/lang/(?<lang>de|fr)/) { set $x 1; }
        proxy_pass http://app;
        return 200 "$lang$x";
    }
    location /referer/ {
        valid_referers none blocked server_names *.ok.test ~good;
        if ($invalid_referer) { return 402; }
        proxy_pass http://app;
        return 200 welcome;
    }
    location /late/ { add_header X-Late "$sent_http_x_kind/$upstream_http_content_type/$status" always; proxy_pass http://app; }
    location /hidden/ {
        add_header X-One mine;
        add_header X-Late "[$upstream_http_x_one|$sent_http_x_one]";
        proxy_pass http://app;
    }
    location /headers/ {
        add_header X-One 1; add_header X-Two 2 always; add_header X-None "$http_x_none";
        location /headers/bad { return 402; }
        location /headers/own { add_header X-Own 1; return 200 own; }
        return 200 ok;
    }
    location /expires/ { expires 1h; add_header Cache-Control public; return 200 ok; }
    location /expires-epoch/ { expires epoch; return 200 ok; }
    location /expires-max/ { expires max; return 200 ok; }
    location /expires-bad/ { expires 1h; return 402; }
}
"""
GETS = [
    "/vars/a%20b//c/./d?a=1&b=2&B=3",
    "/vars/",
    "/vars/?a",
    "/geo?ip=10.1.2.3",
    "/geo?ip=10.1.9.9",
    "/geo?ip=10.0.0.12",
    "/geo?ip=2001:db8::7",
    "/geo?ip=x",
    "/geo",
    "/type.html",
    "/type/a.css",
    "/type/a.CSS",
    "/type/a.png",
    "/type/.css",
    "/type/a.b/c",
    "/type/",
    "/type-none/x.html",
    "/r/301",
    "/r/302?q=1",
    "/r/303",
    "/r/307%20x",
    "/r/308",
    "/r/url",
    "/r/204",
    "/r/204t",
    "/r/304",
    "/r/400",
    "/r/404",
    "/r/404t",
    "/r/410",
    "/r/418",
    "/r/403",
    "/r/500",
    "/r/503t",
    "/errors/404",
    "/query/?a=1",
    "/query/x%2Fy",
    "/query-gone/?a=1",
    "/re/a/b?q=1",
    "/re/a%20b?q=1",
    "/re-break/a%20b?q=1",
    "/u1/",
    "/u2/a/b",
    "/u3/a%2Fb",
    "/if/",
    "/lang/de/x",
    "/lang/it/x",
    "/headers/",
    "/headers/bad",
    "/headers/own",
    "/late/x",
    "/hidden/x",
    "/expires/",
    "/expires-epoch/",
    "/expires-max/",
    "/expires-bad/",
    "/nothing",
]
FIELDS = (
    "location",
    "content-type",
    "cache-control",
    "expires",
    "x-kind",
    "x-one",
    "x-two",
    "x-none",
    "x-own",
    "x-late",
)


def lowered(text: str) -> Json:
    """The Plan of a text inside `http`."""
    read = read_text(f"http {{ access_log off; default_type text/plain; {text} }}")
    tree: Json = to_tree(lower(read).whole)
    # The kit's name of the listener it asks.
    tree["listeners"] = {"web": next(iter(tree["listeners"].values()))}
    return tree


@pytest.fixture(scope="module")
def servers() -> Iterator[Both]:
    if not is_installed():
        pytest.skip("nginx is not installed")
    with Origin() as app:
        http = HTTP.replace("APP", app.address)
        port = free_ports(1)[0]
        with Nginx(http) as nginx, Engine(lowered(http.replace("PORT", str(port)))) as engine:
            yield Both(engine=engine, nginx=nginx)


def answers(servers: Both, target: str, *fields: str, method: str = "GET") -> list[Json]:
    """Status, fields and text of both; what an echoing origin saw instead of its text."""
    found: list[Json] = []
    for server, port in ((servers.engine, servers.engine.tcp()[1]), (servers.nginx, servers.nginx.port)):
        with server.client() as client:
            response = client.request(method, target, *fields)
        text = response.text
        if response.get("content-type") == "application/json":
            told = json.loads(response.body)
            passed = {name.lower(): value for name, value in told["headers"] if name.lower().startswith("x-")}
            # Debian's nginx speaks HTTP/1.0 to applications.
            text = f"{told['line'].rpartition(' ')[0]} {passed}"
        said = {name: " + ".join(response.all(name)) for name in FIELDS}
        answer = {"status": response.status, "text": text, **said}
        found.append(
            {
                name: value.replace(f":{port}", ":PORT") if isinstance(value, str) else value
                for name, value in answer.items()
            }
        )
    # An hour from now is not the same second twice.
    for one in found:
        if "max-age=3600" in str(one["cache-control"]):
            one["expires"] = "later"
    return found


@pytest.mark.parametrize("target", GETS)
def test_as_nginx_answers(servers: Both, target: str) -> None:
    """Status, fields and text, or what the application saw, are nginx's."""
    engine, nginx = answers(servers, target)
    assert engine == nginx


@pytest.mark.parametrize("kind", ["", "large", "LARGE", "small-X", "SMALL-y", "default", "x"])
def test_maps_as_nginx_does(servers: Both, kind: str) -> None:
    r"""Exact keys have no case, then patterns; `\default` is a key."""
    engine, nginx = answers(servers, "/tables/", *([f"X-Kind: {kind}"] if kind else []))
    assert engine == nginx


@pytest.mark.parametrize(
    "host", ["example.org", "a.b.example.org", "example.org.", "x.a.test", "a.test", "www.x", "bob.re.test", "x"]
)
def test_maps_of_host_names_as_nginx_does(servers: Both, host: str) -> None:
    """Exact, both wildcards, then patterns."""
    found: list[str] = []
    for server in (servers.engine, servers.nginx):
        with server.client() as client:
            client.send(f"GET /tables/?secret=1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            found.append(client.read_response().text)
    assert found[0] == found[1]


def test_shares_as_nginx_has_them(servers: Both) -> None:
    """Every key falls into the same share: MurmurHash2, 32 bits."""
    engine, nginx = servers.engine.client(), servers.nginx.client()
    with engine, nginx:
        for key in range(200):
            target = f"/split?key={key * 7919}"
            assert engine.request("GET", target).text == nginx.request("GET", target).text


@pytest.mark.parametrize("value", ["one", "two", "TWO", "0", "three"])
def test_conditions_as_nginx_judges(servers: Both, value: str) -> None:
    """`=`, `!=`, `~*`, `!~`, and what is true."""
    engine, nginx = answers(servers, "/if/", f"X-A: {value}")
    assert engine == nginx


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "http://a.ok.test/x",
        "http://ok.test/",
        "https://evil.test/",
        "garbage",
        "http://x/good",
        "HTTP://A.OK.TEST:81",
    ],
)
def test_referers_as_nginx_judges(servers: Both, referer: str) -> None:
    """Of valid_referers."""
    engine, nginx = answers(servers, "/referer/", *([f"Referer: {referer}"] if referer else []))
    assert engine == nginx


@pytest.mark.parametrize(
    "said", ["1.2.3.4", "1.2.3.4, 10.9.9.9", "9.9.9.9, 1.2.3.4", "1.2.3.4, 9.9.9.9", "nonsense", "10.1.1.1"]
)
@pytest.mark.parametrize("peer", ["10.5.5.5", "9.9.9.9"])
def test_proxies_of_geo_as_nginx_believes_them(servers: Both, peer: str, said: str) -> None:
    """What a trusted peer says in X-Forwarded-For stands for its address."""
    engine, nginx = answers(servers, f"/geo?ip={peer}", f"X-Forwarded-For: {said}")
    assert engine == nginx


def test_variables_of_fields(servers: Both) -> None:
    """Fields, cookies of any case, a field that says whom it was forwarded for."""
    fields = ["X-Y: 1", "Cookie: a=1; c=2; C=3", "X-Forwarded-For: 9.9.9.9", "Content-Type: a/b"]
    engine, nginx = answers(servers, "/vars/?B=3&b=2", *fields)
    assert engine == nginx


@pytest.mark.parametrize("target", ["/r/404", "/r/410", "/r/301", "/r/404t", "/vars/"])
def test_heads_as_nginx_answers(servers: Both, target: str) -> None:
    """HEAD goes to error pages as HEAD."""
    engine, nginx = answers(servers, target, method="HEAD")
    assert engine == nginx
