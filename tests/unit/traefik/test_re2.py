"""RE2 patterns: what Go's regexp accepts, and what it lacks."""

from __future__ import annotations

import random
import time

import pytest

from daemun.traefik.re2 import PatternError, canonical_pattern, check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^.+$",
        "a|b|",
        "(a)(?:b)(?P<n>c)(?<m>d)",
        "(?i)a(?s-m:b)(?-s)",
        "[a-z0-9_.-]+",
        "[]a]",
        "[^]a]",
        "[[:alpha:]_]",
        "[[:^digit:]]",
        r"[\d\w-]",
        r"[\x00-\x7f\n]",
        r"\d+\.\d*?",
        r"\pL\p{Greek}\P{^Lu}",
        r"\x{10FFFF}\x41\012\0",
        r"\Qa.b(\E+",
        r"\Q",
        "a{2}b{2,}c{2,5}?d{x}{",
        "x{1000}",
        "(a{40}b{30}){25}",
        "()*",
        "^*",
        r"\b\B\A\z",
        "}",
        "대문",
        "a??",
    ],
)
def test_accepted(pattern: str) -> None:
    """What Go compiles is accepted."""
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "index"),
    [
        ("a(?=b)", 1),
        ("(?!a)", 0),
        ("(?<=a)", 0),
        ("(?<!a)", 0),
        ("(?>a)", 0),
        ("(?#x)", 0),
        ("(?P=n)", 0),
        ("(?P<n>a)(?P<n>b)", 8),
        ("(?P<a-b>c)", 0),
        (r"(a)\1", 3),
        (r"\8", 0),
        ("a(b", 1),
        ("a)b", 1),
        ("[a", 0),
        ("[]", 0),
        ("[z-a]", 1),
        ("[[:foo:]]", 1),
        ("*", 0),
        ("a|*", 2),
        ("(+)", 1),
        ("a++", 2),
        ("a**", 2),
        ("a{2}{3}", 4),
        ("a{1001}", 1),
        ("a{3,2}", 1),
        (r"\k", 0),
        (r"\Z", 0),
        (r"a\Eb", 1),
        ("a\\", 1),
        (r"\xZ", 0),
        (r"\p{", 0),
        (r"\p{Klingon}", 0),
        (r"\x{110000}", 0),
        (r"[\b]", 1),
        ("(?)", 0),
        ("(a{40}){40}", 7),
        ("((a{10}){10}){11}", 13),
    ],
)
def test_refused(pattern: str, index: int) -> None:
    """What Go refuses is refused, at its place."""
    with pytest.raises(PatternError) as caught:
        check_pattern(pattern)
    assert caught.value.index == index


@pytest.mark.parametrize(
    ("pattern", "canonical"),
    [
        ("^/a/(?P<id>[0-9]+)$", "^/a/(?P<id>[0-9]+)$"),
        (r"\Qa.b\E+", r"a\.b+"),
        (r"\Qa|b", r"a\|b"),
        (r"\012\0", r"\n\x{0}"),
        ("a{b}", r"a\{b\}"),
        (r"\<\-\/", "<-/"),
        ("[a&&b]", r"[a\&\&b]"),
        ("[[a]", r"[\[a]"),
        ("[]a-]", r"[\]a\-]"),
        (r"[\w\-.]", r"[\w\-.]"),
        (r"\pL\p{^Greek}\P{^Lu}", r"\p{L}\P{Greek}\p{Lu}"),
        ("(?P<1a>x)", "(x)"),
        ("(?<n>x)", "(?P<n>x)"),
        ("[[:^alpha:]]x{2,3}?", "[[:^alpha:]]x{2,3}?"),
    ],
)
def test_canonical_spelling(pattern: str, canonical: str) -> None:
    """What dialects read differently is spelt out, and canonical patterns stay as they are."""
    assert canonical_pattern(pattern) == canonical
    assert canonical_pattern(canonical) == canonical


def test_random_patterns_never_crash() -> None:
    """Whatever is written is accepted or refused; the seed of a failure is printed."""
    seed = int(time.time())
    print(f"seed {seed}")
    source = random.Random(seed)  # noqa: S311  (a test wants repeatable numbers)
    pieces = [
        "a",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "*",
        "+",
        "?",
        "|",
        "\\",
        "^",
        "-",
        ":",
        "(?",
        "P<n>",
        "1",
        ",",
        "[:",
        "\\Q",
        "대",
    ]
    for _ in range(5000):
        pattern = "".join(source.choice(pieces) for _ in range(source.randrange(10)))
        try:
            check_pattern(pattern)
        except PatternError as error:
            assert 0 <= error.index <= len(pattern), pattern  # noqa: PT017  (some of them are fine)
