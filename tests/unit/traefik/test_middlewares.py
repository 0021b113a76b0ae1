"""Middleware options: one kind each."""

from __future__ import annotations

import pytest

from daemun.traefik.middlewares import Middleware
from daemun.traefik.read import load_dynamic_text


def one(text: str) -> tuple[Middleware | None, list[str]]:
    dynamic, problems = load_dynamic_text(f"http: {{middlewares: {{m: {text}}}}}", file="d.yml")
    entry = dynamic.middlewares.get("m@file")
    return (None if entry is None else entry.value), [problem.message for problem in problems]


@pytest.mark.parametrize(
    "text",
    [
        "{addPrefix: {prefix: /x}}",
        "{stripPrefix: {prefixes: [/a, /b]}}",
        "{stripprefix: {prefixes: /a}}",
        "{replacePath: {path: /x}}",
        "{redirectScheme: {scheme: https, port: 8443, permanent: true}}",
        "{headers: {customRequestHeaders: {X-A: b, X-N: 1, X-Gone: ''}, stsSeconds: 3, browserXSSFilter: true}}",
        "{chain: {middlewares: [a, b@file]}}",
    ],
)
def test_served_kinds(text: str) -> None:
    """The kinds of this issue are read."""
    middleware, messages = one(text)
    assert middleware is not None
    assert messages == []


@pytest.mark.parametrize("kind", Middleware.not_yet)
def test_every_other_kind_is_known(kind: str) -> None:
    """A kind that comes later is said and remembered, so that no router is served without it."""
    middleware, messages = one(f"{{{kind}: {{}}}}")
    assert middleware is not None
    assert middleware.pending == (kind,)
    assert messages == [f"not yet: {kind} comes later"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "is of no kind"),
        ("{addPrefix: {prefix: /x}, replacePath: {path: /y}}", "is of several kinds"),
        ("{addPrefix: {prefix: /x}, basicAuth: {}}", "is of several kinds"),
        ("{addPrefix: {prefix: ''}}", "an empty path"),
        ("{addPrefix: {}}", "prefix is missing"),
        ("{headers: {customRequestHeaders: {'X Y': a}}}", "cannot be the name of a header"),
        ('{headers: {customResponseHeaders: {X: "a\\nb"}}}', "cannot contain a line break"),
        ("{redirectScheme: {scheme: ''}}", "is no scheme"),
        ("{redirectScheme: {scheme: https, port: x}}", "is no port"),
        ("{adPrefix: {}}", "unknown option 'adPrefix'"),
    ],
)
def test_faults(text: str, words: str) -> None:
    """A middleware is exactly one kind, with its required options."""
    middleware, messages = one(text)
    assert middleware is None
    assert any(words in message for message in messages)
