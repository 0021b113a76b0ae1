"""Rule tokens: strings as Go reads them, and what has no meaning."""

from __future__ import annotations

import pytest

from daemun.errors import RuleError
from daemun.traefik.rule_lexer import tokenize


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("`a\\nb`", "a\\nb"),
        ('"a\\nb"', "a\nb"),
        ('"\\x41\\u00e9\\U0001F600\\101"', "Aé😀A"),
        ('"\\"\\\\\\t"', '"\\\t'),
        ("`대문`", "대문"),
        ('"\\xeb\\x8c\\x80"', "대"),
        ("``", ""),
        ("`a\rb`", "ab"),
        ("`a\nb`", "a\nb"),
    ],
)
def test_strings(literal: str, text: str) -> None:
    """Backticks are raw, double quotes know Go's escapes."""
    [token, end] = tokenize(literal)
    assert (token.kind, token.text, token.width) == ("string", text, len(literal))
    assert end.kind == "end"


@pytest.mark.parametrize(
    ("rule", "index", "words"),
    [
        ("Host(`a", 5, "never closed"),
        ('Host("a', 5, "never closed"),
        ('Host("a\nb")', 5, "never closed"),
        ('"ab\\qc"', 3, r"unknown escape \\q"),
        ('"\\xZZ"', 1, "unknown escape"),
        ('"\\ud800"', 1, "unknown escape"),
        ('"\\777"', 1, "unknown escape"),
        ('"\\xff"', 0, "do not make UTF-8"),
        ("Host('a')", 5, "no meaning"),
        ("a & b", 2, "no meaning"),
        ("a | b", 2, "no meaning"),
    ],
)
def test_faults_point_at_their_character(rule: str, index: int, words: str) -> None:
    """What cannot be read is refused at its own character."""
    with pytest.raises(RuleError, match=words) as caught:
        tokenize(rule)
    assert caught.value.index == index


def test_blanks_and_line_breaks_separate() -> None:
    """Line breaks are blanks, so that folded YAML reads well."""
    kinds = [token.kind for token in tokenize(" a\n&&\t!( b\r\n||c ) ")]
    assert kinds == ["name", "&&", "!", "(", "name", "||", "name", ")", "end"]
