"""The control plane's applications: answers of HTTP-01, commands. Asked without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from daemun.control.commands import commands
from daemun.control.pages import pages


def ask(application: Starlette, method: str, path: str, **more: Any) -> httpx.Response:
    async def asking() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://a.example.com") as client:
            return await client.request(method, path, **more)

    return asyncio.run(asking())


class Renewals:
    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def renew(self, name: str, *, new_key: bool = False) -> list[str]:
        self.asked.append((name, new_key))
        return ["acme:le:a.com"] if name == "a.com" else []


def test_answers() -> None:
    """A token's answer as it stands, as long as it is there; anything else is not found."""
    tokens = {"abc_-": "abc_-.thumb"}
    application = pages(tokens)
    found = ask(application, "GET", "/.well-known/acme-challenge/abc_-")
    assert (found.status_code, found.content) == (200, b"abc_-.thumb")
    assert found.headers["content-type"] == "application/octet-stream"
    assert ask(application, "HEAD", "/.well-known/acme-challenge/abc_-").status_code == 200
    assert ask(application, "GET", "/.well-known/acme-challenge/other").status_code == 404
    assert ask(application, "POST", "/.well-known/acme-challenge/abc_-").status_code == 405
    assert ask(application, "GET", "/certificates/renew").status_code == 404
    del tokens["abc_-"]
    assert ask(application, "GET", "/.well-known/acme-challenge/abc_-").status_code == 404


def test_renew() -> None:
    """A known name is ordered, an unknown one is said to be unknown."""
    renewals = Renewals()
    said = ask(commands(renewals), "POST", "/certificates/renew", json={"name": "a.com", "new_key": True})
    assert (said.status_code, said.json()) == (202, {"certificates": ["acme:le:a.com"]})
    said = ask(commands(renewals), "POST", "/certificates/renew", json={"name": "b.com"})
    assert said.status_code == 404
    assert "b.com" in said.json()["error"]
    assert renewals.asked == [("a.com", True), ("b.com", False)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"7", b'"a.com"'])
def test_nonsense(body: bytes) -> None:
    """A body that is none changes nothing."""
    renewals = Renewals()
    assert ask(commands(renewals), "POST", "/certificates/renew", content=body).status_code == 400
    assert renewals.asked == []
