"""Words of an nginx file: quotes, escapes, comments, variables in braces, and their places."""

from __future__ import annotations

import random

import pytest

from daemun.nginx.words import DIRECTIVE, MARK, TOKEN, Text, meant


def words(text: str) -> list[str]:
    return [meant(word) if kind != MARK else word for kind, word in tokens(text)]


def tokens(text: str) -> list[tuple[int, str]]:
    return [(match.lastindex, match[match.lastindex]) for match in TOKEN.finditer(text) if match.lastindex]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("listen 80;", ["listen", "80", ";"]),
        ("a{b;}", ["a", "{", "b", ";", "}"]),
        ("set $x ${y}z;", ["set", "$x", "${y}z", ";"]),
        ("a \"b c\" 'd;{e';", ["a", "b c", "d;{e", ";"]),
        ('a "b\\"c";', ["a", 'b"c', ";"]),
        ("a \\.php$;", ["a", "\\.php$", ";"]),
        ("a b\\\\c\\td;", ["a", "b\\c\td", ";"]),
        ("a b\\;c;", ["a", "b\\;c", ";"]),
        ("a b#c; # d; e\nf;", ["a", "b#c", ";", "f", ";"]),
        ("# only a comment", []),
        ('a b"c"d;', ["a", 'b"c"d', ";"]),
        ("a }", ["a", "}"]),
        ('if ($a = "b") {', ["if", "($a", "=", "b", ")", "{"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    """Words end at blanks, `;` and `{`; quotes hold them together; a backslash stays unless it escapes something."""
    assert words(text) == found


def test_an_unclosed_quote_is_a_word_of_its_own() -> None:
    """A quote that nothing closes is told apart, for the reader to complain of it."""
    assert tokens('a "b')[1:] == [(5, '"'), (4, "b")]


def test_places() -> None:
    """An offset becomes line, column and the line's text."""
    text = Text("n.conf", "a;\n  listen 80;\n")
    place = text.place(5, 6)
    assert (place.line, place.column, place.source, place.width) == (2, 3, "  listen 80;", 6)


def test_a_plain_directive_is_what_its_words_are() -> None:
    """A directive that is taken as a whole has the words, and the end, that the lexer finds one by one."""
    chance = random.Random(1)  # noqa: S311 - the same texts each time
    pieces = [
        "a",
        "b1",
        "/x",
        "$",
        "$y",
        "(",
        "~",
        " ",
        "  ",
        "\n",
        "\t",
        "\x0b",
        "\xa0",
        "é",
        ";",
        "{",
        "}",
        "#",
        '"',
        "'",
        "\\",
    ]
    whole = 0
    for _ in range(20_000):
        text = "".join(chance.choices(pieces, k=chance.randint(1, 12)))
        match = DIRECTIVE.match(text)
        if match is None or "${" in match[0] or (match[1] and match[2] == "}"):
            continue  # the reader reads these word by word
        whole += 1
        assert words(match[0]) == [*(match[1] or "").split(), match[2]]
    assert whole > 2_000
