"""Nothing the engine says of its own names a backend: not with a dead, a slow or a lying one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.kit.engine import Engine
from tests.kit.origin import Origin, Visit, dead, raw, silent
from tests.kit.plans import Json, endpoint, plan
from tests.kit.wire import Closed


def _slow(visit: Visit) -> None:
    visit.read_request()
    visit.read_to_end()


def _mute(visit: Visit) -> None:
    visit.read_request()


@contextlib.contextmanager
def backend(kind: str) -> Iterator[str]:
    """The address of a backend that is dead, slow, lying, …."""
    scripts = {
        "slow": _slow,
        "mute": _mute,
        "lying": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
        "garbage": raw(b"\0\1\2 not HTTP\r\n\r\n"),
    }
    if kind == "dead":
        with dead() as address:
            yield address
    elif kind == "silent":
        with silent() as address:
            yield address
    elif kind == "unresolvable":
        yield "backend-7.invalid:4711"
    else:
        with Origin(scripts[kind]) as origin:
            yield origin.address


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("kind", ["dead", "silent", "unresolvable", "slow", "mute", "lying", "garbage"])
def test_error_pages_name_no_backend(kind: str, method: str) -> None:
    """Status, fields and body of our own error page hold no address, port, URL or service of the backend."""
    with backend(kind) as address:
        host, _, port = address.rpartition(":")
        whole = plan(
            endpoint(address, url=f"http://secret-url.internal:{port}"),
            upstream={"connect_ms": 300, "response_head_ms": 300},
        )
        whole["services"]["secret-service"] = whole["services"].pop("app")
        whole["routes"]["app"]["action"]["proxy"]["service"] = "secret-service"
        with Engine(whole) as engine, engine.client() as client:
            response = client.request(method)
            assert response.status in (502, 504)
            shown = repr(response).lower()
            for secret in (port, "secret", f"//{host}", "backend-7"):
                assert secret not in shown, secret
            assert not {n.lower() for n, _ in response.headers} & {"server", "via", "x-upstream", "x-forwarded-server"}


def test_no_backend_page_names_none() -> None:
    """The same for 503: every endpoint resting."""
    with dead() as a, dead() as b, Engine(plan(a, b)) as engine, engine.client() as client:
        for _ in range(3):
            response = client.request()
            for address in (a, b):
                assert address.rpartition(":")[2] not in repr(response)


def test_answers_get_no_fields_of_ours() -> None:
    """A proxied answer has the origin's fields and none that tells where it came from."""
    with Origin() as origin, Engine(plan(origin.address)) as engine, engine.client() as client:
        response = client.request()
        assert str(origin.port) not in repr(list(response.headers))
        assert {n.lower() for n, _ in response.headers} <= {"content-type", "content-length", "date"}


def test_redirects_of_ours_name_no_backend() -> None:
    """A redirect route answers with the client's own host."""
    location = [{"literal": "https://"}, {"variable": "host"}, {"variable": "request_uri"}]
    action: Json = {"redirect": {"status_get": 301, "status_other": 308, "location": location}}
    whole = plan("127.0.0.1:4711")
    whole["routes"]["app"]["action"] = action
    with Engine(whole) as engine, engine.client() as client:
        response = client.request("GET", "/a?b=c", host="Shop.test:8080")
        assert (response.status, response.get("location")) == (301, "https://shop.test/a?b=c")
        assert client.request("POST", "/a").status == 308
        assert "4711" not in repr(response)


def test_cut_off_answer_says_nothing() -> None:
    """An answer that breaks off in its body gets no error page in the middle of it."""
    with (
        Origin(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", close=True)) as origin,
        Engine(plan(origin.address)) as engine,
        engine.client() as client,
    ):
        with pytest.raises(Closed):
            client.request()
        assert bytes(client.buffer) in (b"", b"half")
