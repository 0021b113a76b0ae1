"""Admission: addresses, passwords, sub-requests; the same configuration for nginx and, lowered by hand, for the engine."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import http2_listener
from tests.kit.http2 import Http2
from tests.kit.nginx import Nginx, is_installed, seen
from tests.kit.origin import Origin, Visit, answering
from tests.kit.plans import Json, capture, locations, nginx_policy, plan, proxy, route, service, text
from tests.kit.wire import Client, Response

#: Every one of `secret`, made by `openssl passwd` and `htpasswd`; the last line is of a hash nobody knows.
USERS = """\
# a comment
plain:{PLAIN}secret
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
apr1:$apr1$salt1234$G61s9lpZAELkzUFCbj/53/
sha256:$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi.
sha512:$6$saltstring$AIsRs/Ee56G/tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.
bcrypt:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
plain:{PLAIN}second
"""

NGINX = r"""
upstream app { server APP; }
upstream auth { server AUTH; }
server {
    listen PORT;
    location / { proxy_pass http://app; }
    location /none/ { deny all; proxy_pass http://app; }
    location /some/ { allow 127.0.2.0/24; deny 127.0.3.1; deny 127.0.0.1; proxy_pass http://app; }
    location /basic/ { auth_basic "who is there"; auth_basic_user_file DIRECTORY/users; proxy_pass http://app; }
    location /both/ {
        allow 127.0.2.0/24; deny all;
        auth_basic "both"; auth_basic_user_file DIRECTORY/users;
        proxy_pass http://app;
    }
    location /any/ {
        satisfy any; allow 127.0.2.0/24; deny all;
        auth_basic "any"; auth_basic_user_file DIRECTORY/users;
        proxy_pass http://app;
    }
    location /asked/ {
        auth_request /auth; auth_request_set $user $upstream_http_x_user;
        proxy_set_header X-User $user; proxy_pass http://app;
    }
    location /anyasked/ {
        satisfy any; allow 127.0.2.0/24; deny all; auth_request /auth;
        proxy_pass http://app;
    }
    location /fixed/ { auth_request /teapot; proxy_pass http://app; }
    location = /auth {
        internal; proxy_pass http://auth/check; proxy_pass_request_body off; proxy_set_header Content-Length "";
        proxy_set_header X-Original $request_uri;
    }
    location = /teapot { internal; return 418; }
}
"""


def users_gate(realm: str) -> Json:
    return {"basic": {"realm": text(realm), "users": "users", "when": None}}


def address(*rules: tuple[bool, str]) -> Json:
    return {"address": [{"allow": allow, "network": network} for allow, network in rules]}


def subrequest(path: str, *, keep: bool = False) -> Json:
    slot = [{"slot": 0, "value": [{"upstream_header": "x-user"}]}] if keep else []
    return {"subrequest": {"to": {"uri": {"table": "table", "uri": text(path)}}, "set": slot}}


def access(*gates: Json, satisfy: str = "all") -> Json:
    return {"access": {"satisfy": satisfy, "gates": list(gates)}}


LOCAL = address((True, "127.0.2.0/24"), (False, "all"))
GATES: dict[str, Json] = {
    "/none/": access(address((False, "all"))),
    "/some/": access(address((True, "127.0.2.0/24"), (False, "127.0.3.1"), (False, "127.0.0.1"))),
    "/basic/": access(users_gate("who is there")),
    "/both/": access(LOCAL, users_gate("both")),
    "/any/": access(LOCAL, users_gate("any"), satisfy="any"),
    "/asked/": access(subrequest("/auth", keep=True)),
    "/anyasked/": access(LOCAL, subrequest("/auth"), satisfy="any"),
    "/fixed/": access(subrequest("/teapot")),
}


def lowered(app: str, auth: str) -> Json:
    """The Plan of NGINX."""
    passing = proxy(target="raw", request_body={"buffer": {"memory": 16_384}})
    routes: dict[str, Json] = {path: route(passing, filters=[path]) for path in GATES}
    routes["/asked/"]["filters"].append("user")
    asking = proxy(
        "auth",
        target={"replace_prefix": {"prefix": "/auth", "with": "/check"}},
        pass_body=False,
        request_body={"buffer": {"memory": 16_384}},
    )
    routes["/auth"] = {**route(asking, filters=["original"]), "internal": True}
    teapot = route({"respond": {"status": 418, "headers": [], "body": []}})
    routes["/teapot"] = {**teapot, "internal": True}
    filters: Json = {
        **GATES,
        "user": {"request_headers": [{"set": {"name": "X-User", "value": capture(0)}}]},
        "original": {
            "request_headers": [{"set": {"name": "X-Original", "value": [{"variable": "request_uri"}]}}],
        },
    }
    whole = plan(
        app,
        http=nginx_policy(),
        filters=filters,
        routes={**routes, "app": route(passing)},
        services={"auth": service(auth)},
        tables={
            "table": locations(
                exact={"/auth": "/auth", "/teapot": "/teapot"}, prefixes={"/": "app", **{path: path for path in GATES}}
            )
        },
        slots=["user"],
    )
    # A page of nginx's own, which `seen` leaves out of the comparison.
    pages = {
        kind: {**answer, "body": text("<center>nginx</center>")} for kind, answer in whole["faults"]["faults"].items()
    }
    whole["faults"]["faults"] = pages
    return whole


def judging(visit: Visit) -> None:
    """Judges by what the client sends in X-Judge: a status, with fields of its own."""
    while True:
        request = visit.read_request()
        status = request.get("x-judge") or "200"
        challenge = ["WWW-Authenticate: Bearer here"] if status == "401" else []
        visit.answer(
            b"judged", f"X-User: {request.method} {request.get('x-original')}", *challenge, status=f"{status} X"
        )


class Pair:
    """An engine and an nginx with the same meaning, and their origins."""

    def __init__(self, engine: Engine, nginx: Nginx, auth: Origin) -> None:
        self.engine, self.nginx, self.auth = engine, nginx, auth

    def ask(self, method: str, path: str, *fields: str, source: str, body: bytes = b"") -> tuple[Json, Json]:
        answers = []
        for at in (self.engine.address(), ("127.0.0.1", self.nginx.port)):
            with Client(at, source=source) as client:
                answers.append(seen(client.request(method, path, *fields, body=body)))
        return answers[0], answers[1]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    if not is_installed():
        pytest.skip("needs nginx")
    with Origin() as app, Origin(judging) as auth:
        http = NGINX.replace("APP", app.address).replace("AUTH", auth.address)
        with (
            Nginx(http, files={"users": USERS}) as nginx,
            Engine(lowered(app.address, auth.address), secrets={"users": USERS}) as engine,
        ):
            yield Pair(engine, nginx, auth)


def basic(user: str, says: str = "secret") -> str:
    return f"Authorization: Basic {base64.b64encode(f'{user}:{says}'.encode()).decode()}"


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.2.7", "127.0.3.1", "127.0.4.4"])
@pytest.mark.parametrize("path", ["/", "/none/", "/some/"])
def test_addresses(pair: Pair, path: str, source: str) -> None:
    """The first rule that holds the address decides; none admits."""
    ours, theirs = pair.ask("GET", path, source=source)
    assert ours == theirs


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Authorization: Basic"],
        ["Authorization: Bearer abc"],
        ["Authorization: Basic !!!"],
        [basic("nobody")],
        [basic("plain", "second")],
        *[[basic(user)] for user in ("plain", "sha", "apr1", "sha256", "sha512", "bcrypt", "# a comment")],
        *[[basic(user, "Secret")] for user in ("plain", "sha", "apr1", "sha256", "sha512", "bcrypt")],
    ],
)
def test_passwords(pair: Pair, fields: list[str]) -> None:
    """Every kind of hash: 401 with the realm, or admitted, twice the same."""
    for _ in range(2):
        ours, theirs = pair.ask("GET", "/basic/", *fields, source="127.0.0.1")
        assert ours == theirs


@pytest.mark.parametrize("path", ["/both/", "/any/"])
@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.2.7"])
@pytest.mark.parametrize("fields", [[], [basic("sha512")], [basic("sha512", "wrong")]])
def test_all_or_any(pair: Pair, path: str, source: str, fields: list[str]) -> None:
    """All gates must admit, or any may; 401 goes before 403."""
    ours, theirs = pair.ask("GET", path, *fields, source=source)
    assert ours == theirs


@pytest.mark.parametrize("path", ["/asked/x?y=1", "/anyasked/", "/fixed/"])
@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.2.7"])
@pytest.mark.parametrize("judged", ["200", "204", "299", "301", "401", "403", "404", "500"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sub_request_judges(pair: Pair, method: str, judged: str, source: str, path: str) -> None:
    """2xx admits, 401 and 403 refuse, anything else is 500; its fields are kept, the body goes to the endpoint only."""
    body = b"hello" if method == "POST" else b""
    ours, theirs = pair.ask(method, path, f"X-Judge: {judged}", source=source, body=body)
    assert ours == theirs
    assert all(request.method == "GET" and request.body == b"" for request in pair.auth.requests)


def test_when_it_is_asked() -> None:
    """A password is asked for only where the condition holds."""
    gate = users_gate("r")
    gate["basic"]["when"] = {"equals": {"value": [{"argument": "ask"}], "to": text("1")}}
    whole = plan("127.0.0.1:1", filters={"gate": access(gate)}, routes={"app": answer(filters=["gate"])})
    with Engine(whole, secrets={"users": USERS}) as engine, engine.client() as client:
        assert client.request("GET", "/?ask=0").status == 200
        refused = client.request("GET", "/?ask=1")
        assert (refused.status, refused.get("www-authenticate")) == (401, 'Basic realm="r"')
        assert client.request("GET", "/?ask=1", basic("plain")).status == 200


def answer(**fields: Any) -> Json:
    return route({"respond": {"status": 200, "headers": [], "body": text("ok")}}, **fields)


def test_a_slow_hash_stalls_nobody() -> None:
    """While a password is looked at for long, others of the same thread are served; what was right is known at once."""
    slow = "slow:$6$rounds=4000000$saltstring$wrong\n"
    whole = plan(
        "127.0.0.1:1",
        filters={"gate": access(users_gate("r"))},
        routes={"app": answer(filters=["gate"]), "open": answer()},
        rules=[{"match": {"path": "/open"}, "route": "open"}, {"match": "always", "route": "app"}],
    )
    with Engine(whole, threads=1, secrets={"users": USERS + slow}) as engine, engine.client() as client:
        done: list[Response] = []

        def ask() -> None:
            with engine.client() as other:
                done.append(other.request("GET", "/", basic("slow")))

        asking = threading.Thread(target=ask)
        asking.start()
        served = 0
        while not done and served < 100:
            assert client.request("GET", "/open").status == 200
            served += 1
        asking.join()
        assert done[0].status == 401
        assert served >= 3


def test_a_secret_that_is_missing_is_named() -> None:
    """A Plan whose users were not handed over is refused by name."""
    whole = plan("127.0.0.1:1", filters={"gate": access(users_gate("r"))})
    with Engine(plan("127.0.0.1:1")) as engine, engine.control() as control:
        with pytest.raises(Exception, match="there is no secret `users`"):
            control.call("apply", plan=whole)
        control.call("put_secret", name="users", generation=1, content=USERS)
        control.call("apply", plan=whole)


def test_a_judge_that_is_gone() -> None:
    """A sub-request that cannot be made is 500, as nginx says, and the endpoint is not asked."""
    with Origin() as app, Origin(answering()) as auth:
        whole = lowered(app.address, auth.address)
        auth.close()
        with Engine(whole, secrets={"users": USERS}) as engine, engine.client() as client:
            assert client.request("GET", "/asked/").status == 500
            assert app.requests == []


def test_the_judge_reads_nothing_of_the_body() -> None:
    """A large body is neither sent to the judge nor lost on its way to the endpoint."""
    body = bytes(range(256)) * 20_000
    with (
        Origin(answering(b"ok")) as app,
        Origin(judging) as auth,
        Engine(lowered(app.address, auth.address), secrets={"users": USERS}) as engine,
        engine.client() as client,
    ):
        assert client.request("POST", "/asked/", body=body).status == 200
        assert app.requests[0].body == body
        assert auth.requests[0].body == b""


def test_over_http2() -> None:
    """Streams are judged the same way, many at once on one connection."""
    with Origin(answering(b"ok")) as app, Origin(judging) as auth:
        whole = lowered(app.address, auth.address)
        whole["listeners"]["web"] = http2_listener()
        with Engine(whole, secrets={"users": USERS}) as engine, Http2(engine.address()) as client:
            judged = ["200", "401", "403", "500"] * 10
            streams = [client.request("POST", "/asked/", ("x-judge", status), body=b"abc") for status in judged]
            assert [client.answer(stream).status for stream in streams] == [int(status) for status in judged]
            assert {request.body for request in app.requests} == {b"abc"}
            word = base64.b64encode(b"sha512:secret").decode()
            assert client.ask("GET", "/basic/", ("authorization", f"Basic {word}")).status == 200
            assert client.ask("GET", "/basic/").get("www-authenticate") == 'Basic realm="who is there"'
