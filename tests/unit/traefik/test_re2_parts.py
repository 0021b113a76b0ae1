"""How single characters are spelt in patterns."""

from __future__ import annotations

import pytest

from daemun.traefik.re2_parts import code_point, in_class, in_pattern, missing_group


@pytest.mark.parametrize(
    ("char", "outside", "inside"),
    [
        ("a", "a", "a"),
        (".", "\\.", "."),
        ("-", "-", "\\-"),
        ("&", "&", "\\&"),
        ("[", "\\[", "\\["),
        ("\n", "\\n", "\\n"),
        ("\x00", "\\x{0}", "\\x{0}"),
        ("\x7f", "\\x{7f}", "\\x{7f}"),
        ("대", "대", "대"),
        ("<", "<", "<"),
    ],
)
def test_spelling(char: str, outside: str, inside: str) -> None:
    """A character means itself outside and inside of classes."""
    assert in_pattern(ord(char)) == outside
    assert in_class(ord(char)) == inside


@pytest.mark.parametrize(("digits", "point"), [("41", 0x41), ("10FFFF", 0x10FFFF), ("110000", None), ("d800", None)])
def test_code_points(digits: str, point: int | None) -> None:
    """Numbers that no character has are refused."""
    assert code_point(digits) == point


def test_missing_groups() -> None:
    """Groups of other dialects are named."""
    assert "lookahead" in missing_group("a(?=b)", 1)
    assert missing_group("(?:b)", 0) == ""
