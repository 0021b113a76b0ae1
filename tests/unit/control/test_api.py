"""The read-only API over a configuration that was lowered, asked without a socket; paths and words are Traefik's."""

from __future__ import annotations

from typing import Any

import pytest

from daemun.control.pages import pages
from daemun.providers.said import Seen
from daemun.run.api_view import ApiView
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text, load_static
from tests.unit.control.test_pages import ask

STATIC = "entryPoints: {web: {address: ':80'}, other: {address: ':81'}}\nproviders: {file: {filename: x}}\napi: {insecure: true}\n"
DYNAMIC = """http:
  routers:
    web: {rule: "Host(`a.test`) && PathPrefix(`/x`)", service: app, middlewares: [strip], entryPoints: [web], tls: {certResolver: le}}
    both: {rule: "Path(`/b`)", service: app, priority: 7}
    lost: {rule: "Path(`/c`)", service: nobody}
    later: {rule: "Path(`/d`)", service: shared}
  services:
    app: {loadBalancer: {servers: [{url: "http://127.0.0.1:9"}, {url: "http://127.0.0.1:8"}]}}
    shared: {weighted: {services: []}}
  middlewares:
    strip: {stripPrefix: {prefixes: [/x]}}
    guard: {basicAuth: {users: ["ann:$apr1$secret"]}}
"""
SEEN = (
    Seen(name="web", provider="docker", running=True),
    Seen(name="db", provider="docker", running=True, hidden="it lacks the label traefik.enable=true", remedy="add it"),
)
BOTH = {
    "entryPoints": ["other", "web"],
    "service": "app",
    "rule": "Path(`/b`)",
    "priority": 7,
    "status": "enabled",
    "using": ["other", "web"],
    "name": "both@file",
    "provider": "file",
}
"""As Traefik v3.5 answers for the same file, but for what it says of observability."""


@pytest.fixture(scope="module")
def view() -> ApiView:
    static, _ = load_static(STATIC, file="t.yml")
    dynamic, said = load_dynamic_text(DYNAMIC, file="d.yml")
    view = ApiView(static=static, dynamic=dynamic, said=said, seen=SEEN)
    view.lowered(*lower(static, dynamic, hostname="gate"))
    return view


def get(view: ApiView | None, path: str) -> Any:
    answer = ask(pages({}, lambda: view), "GET", path)
    return answer.json() if answer.status_code == 200 else answer.status_code


def test_a_router(view: ApiView) -> None:
    """Under its full name and in the list, with its defaults."""
    assert get(view, "/api/http/routers/both@file") == BOTH
    assert [one["name"] for one in get(view, "/api/http/routers")] == [
        "both@file",
        "later@file",
        "lost@file",
        "web@file",
    ]
    web = get(view, "/api/http/routers/web@file")
    assert (web["priority"], web["middlewares"], web["using"]) == (34, ["strip@file"], ["web"])
    assert web["tls"] == {"options": "default", "certResolver": "le"}


def test_what_is_not_served_says_why(view: ApiView) -> None:
    """It is disabled, on no entry point, and the error is the log's."""
    lost, later = (get(view, f"/api/http/routers/{name}@file") for name in ("lost", "later"))
    assert [one["status"] for one in (lost, later)] == ["disabled"] * 2
    assert "there is no service 'nobody'" in lost["error"][0]
    assert "using" not in lost


def test_services_and_middlewares(view: ApiView) -> None:
    """Their options, and who uses them; no password."""
    app = get(view, "/api/http/services/app@file")
    assert [server["url"] for server in app["loadBalancer"]["servers"]] == ["http://127.0.0.1:9", "http://127.0.0.1:8"]
    assert (app["type"], app["usedBy"], app["status"]) == ("loadbalancer", ["both@file", "web@file"], "enabled")
    strip = get(view, "/api/http/middlewares/strip@file")
    assert (strip["type"], strip["stripPrefix"], strip["usedBy"]) == ("stripprefix", {"prefixes": ["/x"]}, ["web@file"])
    assert "secret" not in str(get(view, "/api/http/middlewares")) + str(get(view, "/api/rawdata"))


def test_hidden_containers(view: ApiView) -> None:
    """Each container is listed; one that is hidden says what it lacks."""
    db, web = get(view, "/api/docker/containers")
    assert (db["name"], db["exposed"], db["reason"]) == ("db", False, "it lacks the label traefik.enable=true")
    assert (web["name"], web["exposed"], web["status"], "reason" in web) == ("web", True, "enabled", False)


def test_overview(view: ApiView) -> None:
    """How many there are, and how many are not served."""
    assert get(view, "/api/overview")["http"]["routers"] == {
        "total": 4,
        "warnings": 1,
        "errors": 2,
    }  # no resolver is called le
    assert [one["name"] for one in get(view, "/api/entrypoints")] == ["other", "traefik", "web"]
    assert set(get(view, "/api/rawdata")) == {"routers", "services", "middlewares"}
    assert "Version" in get(view, "/api/version")


def test_pages_of_a_list(view: ApiView) -> None:
    """So many at a time; the next page's number is 1 after the last."""
    application = pages({}, lambda: view)
    answers = [ask(application, "GET", f"/api/http/routers?per_page=3&page={page}") for page in (1, 2, 3)]
    assert [len(one.json()) for one in answers[:2]] == [3, 1]
    assert [one.headers["x-next-page"] for one in answers[:2]] == ["2", "1"]
    assert answers[2].status_code == 400
    assert [one["name"] for one in get(view, "/api/http/routers?search=A.TEST")] == ["web@file"]
    assert [one["name"] for one in get(view, "/api/http/routers?status=disabled")] == ["later@file", "lost@file"]


@pytest.mark.parametrize("path", ["/api/http/routers/no@file", "/api/nothing", "/api"])
def test_what_is_not_there(view: ApiView, path: str) -> None:
    """404 with words in JSON; the same of everything while the API is not switched on."""
    answer = ask(pages({}, lambda: view), "GET", path)
    assert (answer.status_code, "message" in answer.json()) == (404, True)
    assert get(None, "/api/version") == 404


def test_nothing_is_changed(view: ApiView) -> None:
    """Only GET and HEAD are answered."""
    application = pages({}, lambda: view)
    assert [ask(application, method, "/api/version").status_code for method in ("HEAD", "POST", "PUT", "DELETE")] == [
        200,
        405,
        405,
        405,
    ]
