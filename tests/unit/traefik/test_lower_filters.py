"""Middlewares to filters, and why some cannot be used."""

from __future__ import annotations

import pytest

from daemun.plan import filter as plan
from daemun.plan import script
from daemun.plan.route import HeaderValue
from daemun.plan.template import Literal
from daemun.traefik.entry_point import EncodedCharacters
from daemun.traefik.lower_filters import Filters, Refusal, Resolved, canonical_name, refuse_encoded
from daemun.traefik.read import load_dynamic_text

TEXT = """
http:
  middlewares:
    add: {addPrefix: {prefix: x}}
    strip: {stripPrefix: {prefixes: [/a, ' /b']}}
    path: {replacePath: {path: /p}}
    send: {redirectScheme: {scheme: https}}
    fields: {headers: {customRequestHeaders: {x-a: b, gone: ''}, customResponseHeaders: {Server: ''}}}
    host: {headers: {customRequestHeaders: {Host: inner}}}
    all: {chain: {middlewares: [add@file, fields, host]}}
    loop: {chain: {middlewares: [add, loop2]}}
    loop2: {chain: {middlewares: [loop]}}
    auth: {basicAuth: {}}
    guarded: {headers: {allowedHosts: [a]}}
    cors: {headers: {accessControlMaxAge: 3, frameDeny: true}}
    behind: {chain: {middlewares: [auth]}}
    bad: {addPrefix: {}}
    sts: {headers: {stsSeconds: 5, stsPreload: true, forceSTSHeader: true}}
    plain: {headers: {stsSeconds: 5, browserXssFilter: true, referrerPolicy: no-referrer}}
"""


@pytest.fixture
def filters() -> Filters:
    return Filters(dynamic=load_dynamic_text(TEXT, file="d.yml")[0])


def resolved(filters: Filters, name: str) -> list[plan.Filter]:
    found = filters.resolve(name, "file")
    assert isinstance(found, Resolved)
    return [filters.made[one] for one in found.ids]


def test_simple_kinds(filters: Filters) -> None:
    """Each becomes its filter; a missing slash is put before a path."""
    assert resolved(filters, "add") == [plan.AddPrefix(prefix="/x")]
    assert resolved(filters, "strip@file") == [plan.StripPrefix(prefixes=("/a", "/b"))]
    assert resolved(filters, "path") == [plan.ReplacePath(path="/p")]
    assert isinstance(resolved(filters, "send")[0], plan.Redirect)


def test_headers(filters: Filters) -> None:
    """Request and response changes are two filters; an empty value removes; names are written as Go does."""
    request, response = resolved(filters, "fields")
    assert request == plan.RequestHeaders(
        (plan.Set(HeaderValue(name="X-A", value=(Literal("b"),))), plan.Remove("Gone"))
    )
    assert response == plan.ResponseHeaders(statuses=(), ops=(plan.Remove("Server"),))


def test_host_is_changed_like_any_field(filters: Filters) -> None:
    """A Host among the request headers is set in its turn; the engine writes it where Host stands."""
    assert resolved(filters, "host") == [
        plan.RequestHeaders((plan.Set(HeaderValue(name="Host", value=(Literal("inner"),))),))
    ]


def test_chain(filters: Filters) -> None:
    """A chain is its members in order."""
    assert filters.resolve("all", "file") == Resolved(ids=("add@file", "fields@file", "fields@file#2", "host@file"))


@pytest.mark.parametrize(
    ("name", "words", "later"),
    [
        ("auth", "(basicAuth) comes later", True),
        ("behind", "(basicAuth) comes later", True),
        ("guarded", "(allowedHosts) comes later", True),
        ("loop", "contains itself (loop → loop2 → loop)", False),
        ("bad", "has errors of its own", False),
        ("nothing", "there is no middleware 'nothing'", False),
        ("add@docker", "no provider 'docker'", False),
    ],
)
def test_refusals(filters: Filters, name: str, words: str, later: bool) -> None:  # noqa: FBT001
    """What cannot be used says why, and whether a coming version will."""
    found = filters.resolve(name, "file")
    assert isinstance(found, Refusal)
    assert words in found.message
    assert found.later is later


def test_loops_are_found_from_everywhere(filters: Filters) -> None:
    """Both chains of a loop are refused, whichever is asked first."""
    assert isinstance(filters.resolve("loop2", "file"), Refusal)
    assert isinstance(filters.resolve("loop", "file"), Refusal)


def test_suggestion(filters: Filters) -> None:
    """A misspelt reference suggests the nearest middleware."""
    found = filters.resolve("stripp", "file")
    assert isinstance(found, Refusal)
    assert found.suggestion == "strip"


def response_fields(filters: Filters, name: str) -> dict[str, str]:
    [made] = resolved(filters, name)
    assert isinstance(made, plan.ResponseHeaders)
    fields: dict[str, str] = {}
    for op in made.ops:
        assert isinstance(op, plan.Set)
        [part] = op.field.value
        assert isinstance(part, Literal)
        fields[op.field.name] = part.text
    return fields


def test_security_fields(filters: Filters) -> None:
    """The simple security options are response fields; STS without TLS only when forced."""
    assert response_fields(filters, "sts") == {"Strict-Transport-Security": "max-age=5; preload"}
    assert response_fields(filters, "plain") == {"X-Xss-Protection": "1; mode=block", "Referrer-Policy": "no-referrer"}
    assert response_fields(filters, "cors") == {"X-Frame-Options": "DENY"}


@pytest.mark.parametrize(("name", "canonical"), [("x-real-ip", "X-Real-Ip"), ("ETAG", "Etag"), ("a", "A")])
def test_canonical_names(name: str, canonical: str) -> None:
    """Field names are written as Go's CanonicalHeaderKey does."""
    assert canonical_name(name) == canonical


def test_encoded_characters() -> None:
    """An entry point may refuse encoded characters in paths; by default it allows all."""
    assert refuse_encoded(EncodedCharacters()) is None
    made = refuse_encoded(EncodedCharacters(allow_encoded_slash=False, allow_encoded_hash=False))
    assert isinstance(made, plan.Respond)
    assert made.respond.status == 400
    assert isinstance(made.when, script.Matches)
    assert made.when.pattern.regex == "%(2F|23)"
