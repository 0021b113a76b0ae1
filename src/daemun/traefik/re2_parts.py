"""The small facts of RE2's syntax: what it lacks, and how a single character is spelt.

Data and pure functions for re2.py, which walks patterns with them.
"""

from __future__ import annotations

MOST_REPEATS = 1000  # Go refuses more
# Escapes that stand for one control character.
LETTERS = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
# Escapes that stand for many characters, also in a class.
MANY = frozenset("dDsSwWpP")
_POSIX = "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit"
POSIX_NAMES = frozenset(_POSIX.split())
_SPELT = {value: f"\\{letter}" for letter, value in LETTERS.items()}
_HIGHEST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_PRINTABLE = range(0x20, 0x7F)
_LACKING = (
    ("(?=", "lookahead (?=…) is not in RE2"),
    ("(?!", "negative lookahead (?!…) is not in RE2; negate the matcher with ! instead"),
    ("(?<=", "lookbehind (?<=…) is not in RE2"),
    ("(?<!", "negative lookbehind (?<!…) is not in RE2"),
    ("(?>", "atomic groups (?>…) are not in RE2"),
    ("(?#", "comments (?#…) are not in RE2"),
    ("(?(", "conditionals (?(…) are not in RE2"),
    ("(?P=", "backreferences (?P=…) are not in RE2"),
    ("(?|", "branch reset (?|…) is not in RE2"),
)


class PatternError(ValueError):
    """The pattern is not RE2: the message says why, `index` where (characters from 0)."""

    def __init__(self, message: str, *, index: int) -> None:
        """Keep the reason and its place."""
        super().__init__(message)
        self.index = index


def missing_group(pattern: str, at: int) -> str:
    """Return why RE2 lacks the group that begins here, or an empty text."""
    return next((reason for prefix, reason in _LACKING if pattern.startswith(prefix, at)), "")


def code_point(digits: str) -> int | None:
    """Return the character's number, None when no character has it."""
    point = int(digits, 16)
    return None if point > _HIGHEST or point in _SURROGATES else point


def in_pattern(point: int) -> str:
    """Spell a literal character so that it means itself outside classes."""
    char = chr(point)
    if char in r"\.+*?()|[]{}^$":
        return f"\\{char}"
    return _plain(point, char)


def in_class(point: int) -> str:
    """Spell a literal character so that it means itself in a class."""
    char = chr(point)
    if char in r"\[]^-&~":
        return f"\\{char}"
    return _plain(point, char)


def _plain(point: int, char: str) -> str:
    if point in _PRINTABLE:
        return char
    if char in _SPELT:
        return _SPELT[char]
    return f"\\x{{{point:x}}}" if point < _PRINTABLE.stop + 0x21 or point in _SURROGATES else char
