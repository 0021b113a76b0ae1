"""What each matcher accepts."""

from __future__ import annotations

import pytest

from daemun.errors import RuleError
from daemun.traefik.rule_checks import MATCHERS
from daemun.traefik.rules import parse_rule

GOOD = {
    "Host": "`a`",
    "HostRegexp": "`^a`",
    "Path": "`/a`",
    "PathPrefix": "`/a`",
    "PathRegexp": "`a`",
    "Header": "`a`, `b`",
    "HeaderRegexp": "`a`, `b`",
    "Method": "`GET`",
    "Query": "`a`, `b`",
    "QueryRegexp": "`a`, `b`",
    "ClientIP": "`1.2.3.4`",
}


@pytest.mark.parametrize("name", MATCHERS)
def test_arity(name: str) -> None:
    """One argument too many, and none, are refused for every matcher."""
    parse_rule(f"{name}({GOOD[name]})")
    for arguments in (f"{GOOD[name]}, `more`", ""):
        with pytest.raises(RuleError, match=f"{name} takes"):
            parse_rule(f"{name}({arguments})")


@pytest.mark.parametrize("name", MATCHERS)
def test_no_argument_is_empty(name: str) -> None:
    """An empty text is refused for every matcher."""
    arguments = ", ".join(["``"] * MATCHERS[name][-1])
    with pytest.raises(RuleError, match="cannot take an empty text"):
        parse_rule(f"{name}({arguments})")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("Host(`a`, `b`)", r"write Host\(`a`\) \|\| Host\(`b`\)"),
        ("Method(`GET`, `POST`, `PUT`)", r"Method\(`PUT`\)"),
        ("Path(`a`)", r"write Path\(`/a`\)"),
        ("PathPrefix(`a/`)", "must start with /"),
        ("Path(`/{id:[0-9]+}`)", "PathRegexp"),
        ("Host(`대문.kr`)", "xn--vk1bx9m.kr"),
        ("HostRegexp(`대`)", "ASCII only"),
        ("Host(`http://a`)", "without scheme or path"),
        ("Host(`a/b`)", "without scheme or path"),
        ("Host(`a, b`)", r"Host\(`a`\) \|\| Host\(`b`\)"),
        ("Host(`{sub:.+}.a.com`)", "v3"),
        ("ClientIP(`10.0.0`)", "neither an IP address nor a range"),
        ("ClientIP(`10.0.0.0/33`)", "neither"),
        ("ClientIP(`10.0.0.0/255.0.0.0`)", "neither"),
        ("ClientIP(`fe80::1%eth0`)", "neither"),
        ("Header(`X A`, `b`)", "cannot be the name of a header"),
        ("PathRegexp(`(?!a)`)", "not in RE2"),
        ("HeaderRegexp(`X`, `[`)", "never closed"),
        ("QueryRegexp(`a`, `*`)", "nothing to repeat"),
    ],
)
def test_refused_with_advice(rule: str, words: str) -> None:
    """What Traefik refuses or what can never match is refused, and the remedy is named."""
    with pytest.raises(RuleError, match=words):
        parse_rule(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "ClientIP(`10.1.2.3/8`)",
        "ClientIP(`::/0`)",
        "Host(`under_score.example`)",
        "Host(`a.example.`)",
        "Host(`a:8080`)",
        "QueryRegexp(`*`)",
        "PathRegexp(`^/a/(?P<id>[0-9]+)$`)",
        "Query(`[`)",
    ],
)
def test_accepted(rule: str) -> None:
    """What Traefik accepts is accepted; a lone query key is no pattern."""
    parse_rule(rule)


def test_a_bad_pattern_is_shown_where_it_goes_wrong() -> None:
    """The caret stands under the part of the pattern that RE2 lacks."""
    with pytest.raises(RuleError) as caught:
        parse_rule("PathRegexp(`^/a(?=b)`)")
    assert caught.value.index == 15
