"""Single values that are not honoured are said at their place."""

from __future__ import annotations

import pytest

from daemun.traefik.read import load_dynamic_text, load_static


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("entryPoints: {web: {address: ':80', reusePort: true}}", "t.yml:1:48"),
        ("entryPoints: {web: {address: ':80', http: {underscoreHeadersStrategy: reject}}}", "t.yml:1:71"),
        ("accessLog: {format: json, fields: {headers: {defaultMode: keep}}}", "t.yml:1:59"),
    ],
)
def test_static_values(text: str, place: str) -> None:
    """What the file asks for and does not get is a warning at the value."""
    _, problems = load_static(text + "\nproviders: {file: {filename: x}}", file="t.yml")
    assert [(problem.kind, str(problem.place)) for problem in problems] == [("not_yet", place)]


def test_middleware_values() -> None:
    """forceSlash is said to do nothing; false is no matter."""
    text = "http: {middlewares: {m: {stripPrefix: {prefixes: [/a], forceSlash: %s}}}}"
    assert [problem.kind for problem in load_dynamic_text(text % "true", file="d.yml")[1]] == ["not_yet"]
    assert load_dynamic_text(text % "false", file="d.yml")[1] == []
