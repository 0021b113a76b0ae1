"""Redirections: when, where to, with which status. The condition is judged here by a small evaluator."""

from __future__ import annotations

import re

import pytest

from daemun.plan import script
from daemun.plan.template import Header, Literal, Template, Variable
from daemun.traefik.lower_redirects import redirect_scheme


def text(template: Template, request: dict[str, str]) -> str:
    out = ""
    for part in template:
        if isinstance(part, Literal):
            out += part.text
        elif isinstance(part, Header):
            out += request.get(part.name, "")
        elif isinstance(part, Variable):
            out += request[part.value]
    return out


def holds(condition: script.Condition, request: dict[str, str]) -> bool:
    match condition:
        case script.Not(of):
            return not holds(of, request)
        case script.All(items):
            return all(holds(item, request) for item in items)
        case script.Any(items):
            return any(holds(item, request) for item in items)
        case script.Equals(value=value, to=to):
            return text(value, request) == text(to, request)
        case script.Matches(value=value, pattern=pattern):
            return re.search(pattern.regex, text(value, request), re.IGNORECASE) is not None
        case script.Truthy(value):
            return text(value, request) not in {"", "0"}
        case script.File():
            raise AssertionError


def request(host: str, proto: str = "", scheme: str = "http") -> dict[str, str]:
    fields = {"host_field": host, "host_name": host.partition(":")[0], "scheme": scheme}
    return {**fields, "path": "/a", "query_mark": "?", "query": "b=1", "x-forwarded-proto": proto}


@pytest.mark.parametrize(
    ("scheme", "port", "asked", "location"),
    [
        ("https", "", request("h"), "https://h/a?b=1"),
        ("https", "443", request("h:80"), "https://h/a?b=1"),
        ("https", "8443", request("h"), "https://h:8443/a?b=1"),
        ("https", "", request("h", proto="https"), None),
        ("https", "", request("h", proto="WSS"), None),
        ("https", "", request("h:443", proto="https"), None),
        ("https", "", request("h:8443", proto="https"), "https://h/a?b=1"),
        ("https", "8443", request("h:8443", proto="https"), None),
        ("https", "", request("h", scheme="https"), None),
        ("https", "", request("h", proto="http", scheme="https"), "https://h/a?b=1"),
        ("https", "", request("h", proto="gopher", scheme="https"), None),
        ("http", "", request("h", proto="ws"), None),
        ("http", "8080", request("h"), "http://h:8080/a?b=1"),
        ("ftp", "", request("h"), "ftp://h/a?b=1"),
    ],
)
def test_when_and_where(scheme: str, port: str, asked: dict[str, str], location: str | None) -> None:
    """A request that is there already goes on; any other is sent there with its path and query."""
    made = redirect_scheme(scheme=scheme, port=port, permanent=False)
    found = text(made.redirect.location, asked) if holds(made.when, asked) else None
    assert found == location


@pytest.mark.parametrize(("permanent", "statuses"), [(True, (301, 308)), (False, (302, 307))])
def test_statuses(permanent: bool, statuses: tuple[int, int]) -> None:  # noqa: FBT001
    """GET may become GET elsewhere, other methods keep theirs."""
    made = redirect_scheme(scheme="https", port="", permanent=permanent)
    assert (made.redirect.status_get, made.redirect.status_other) == statuses
