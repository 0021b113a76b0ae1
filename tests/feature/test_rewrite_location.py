"""Location and Refresh of responses, rewritten by prefixes and patterns (nginx's `proxy_redirect`)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.gate import gate
from tests.kit.origin import Script, Visit
from tests.kit.plans import Json, text, variable


def rule(
    to: list[Json], *, prefix: list[Json] | None = None, regex: str | None = None, base: list[Json] | None = None
) -> Json:
    pattern = {"regex": regex, "dialect": "pcre", "ignore_case": False, "slot": 0} if regex else None
    return {"from": prefix or [], "pattern": pattern, "base": base or [], "to": to}


RULES: list[Json] = [
    rule(text("http://gate.test/app/"), prefix=text("http://inner:8000/")),
    rule([*text("/u/"), {"capture": {"slot": 0, "group": 1}}], regex=r"^http://users\.inner/(\w+)"),
    rule([*text("https://"), *variable("host"), *text("/q")], prefix=[*text("http://"), *variable("host")]),
    rule(text("/own/"), prefix=text("http://absolute/"), base=text("http://gate.test")),
    rule(text("/never/"), prefix=text("http://inner:8000/deep/")),
]


def redirecting(visit: Visit) -> None:
    """Sends the client where its query says."""
    while True:
        name, _, value = visit.read_request().target.partition("?")[2].partition("|")
        visit.answer(b"", f"{name}: {value}", status="302 Found")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("Location", "http://inner:8000/", "http://gate.test/app/"),
        ("Location", "http://absolute/x", "http://gate.test/own/x"),
        ("Refresh", "7;url=http://absolute/x", "7;url=/own/x"),
        ("Location", "http://inner:8000/deep/x?y=1", "http://gate.test/app/deep/x?y=1"),
        ("Location", "HTTP://inner:8000/", "HTTP://inner:8000/"),
        ("Location", "http://users.inner/ann/rest", "/u/ann"),
        ("Location", "http://example.org/there", "https://example.org/q/there"),
        ("Location", "/relative", "/relative"),
        ("Refresh", "3;url=http://inner:8000/x", "3;url=http://gate.test/app/x"),
        ("Refresh", "0;URL=http://users.inner/bob", "0;URL=/u/bob"),
        ("Refresh", "5", "5"),
        ("Content-Location", "http://inner:8000/", "http://inner:8000/"),
    ],
)
def test_rewritten(name: str, before: str, after: str) -> None:
    """The first rule that fits: its prefix is replaced, or with a pattern the whole; nothing else is touched."""
    script: Script = redirecting
    action: dict[str, Any] = {"rewrite_location": RULES, "target": "raw"}
    with gate(script, action=action, slots=["found"]) as g:
        whole = f"GET /?{name}|{before} HTTP/1.1\r\nHost: example.org\r\n\r\n"
        g.client.send(whole.encode())
        response = g.client.read_response()
        assert response.status == 302
        assert response.get(name) == after
