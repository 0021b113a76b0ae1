"""The judge of RE2 patterns, as Go's regexp package reads them.

The engine compiles patterns of dialect `re2`; here they are checked before, so that a mistake has a
place in a file. The check walks the pattern once: groups, classes, escapes, repetitions. It builds no
automaton and matches nothing; names of Unicode classes stand in unicode_classes.py.
"""

from __future__ import annotations

import re

from daemun.traefik.unicode_classes import UNICODE_CLASSES

_ESCAPES = frozenset("aftnrvxdDsSwWbBAzpP")
_CLASS_ESCAPES = frozenset("aftnrvxdDsSwWpP")
_MULTI = frozenset("dDsSwWpP")
_FLAGS = re.compile(r"\(\?(?:[imsU]+(?:-[imsU]+)?|-[imsU]+)?[:)]")
_NAMED = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}")
_HEX = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})")
_UNICODE = re.compile(r"[pP](?:[A-Z]|\{\^?[A-Za-z_]+\})")
_POSIX = re.compile(r"\[:\^?[a-z]+:\]")
_POSIX_NAMES = frozenset(
    [
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    ]
)
_MOST_REPEATS = 1000  # Go refuses more
_NOT_RE2 = (
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


def check_pattern(pattern: str) -> None:
    """Return when the pattern is valid RE2. Raises PatternError."""
    _Walk(pattern).run()


class _Walk:
    """One pass over a pattern. `repeatable` tells whether a repetition may follow here."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.open: list[int] = []
        self.names: set[str] = set()
        self.repeatable = False
        self.repeated = False
        # How often the last atom may be repeated by counted repetitions inside it, and the most in each open group.
        self.factor = 1
        self.most = [1]

    def run(self) -> None:
        pattern = self.pattern
        while self.at < len(pattern):
            char = pattern[self.at]
            if char == "(":
                self._group()
            elif char == ")":
                if not self.open:
                    self._fail("this ) closes nothing")
                self.open.pop()
                inside = self.most.pop()
                self._atom(1)
                self._factor(inside)
            elif char == "[":
                self._class()
            elif char == "\\":
                self._escape()
            elif char in "*+?":
                self._repeat(1)
            elif char == "{" and (match := _REPEAT.match(pattern, self.at)):
                self._counted(match)
            elif char == "|":
                self._nothing(1)
            else:
                self._atom(1)
        if self.open:
            self._fail("this ( is never closed", index=self.open[-1])

    def _fail(self, message: str, *, index: int | None = None) -> None:
        raise PatternError(message, index=self.at if index is None else index)

    def _atom(self, width: int) -> None:
        self.at += width
        self.repeatable, self.repeated, self.factor = True, False, 1

    def _factor(self, factor: int) -> None:
        self.factor = factor
        self.most[-1] = max(self.most[-1], factor)

    def _nothing(self, width: int) -> None:
        self.at += width
        self.repeatable, self.repeated = False, False

    def _group(self) -> None:
        rest = self.pattern
        if not rest.startswith("(?", self.at):
            self.open.append(self.at)
            self.most.append(1)
            self._nothing(1)
            return
        for prefix, reason in _NOT_RE2:
            if rest.startswith(prefix, self.at):
                self._fail(reason)
        if named := _NAMED.match(rest, self.at):
            if named[1] in self.names:
                self._fail(f"the group name {named[1]!r} stands here twice")
            self.names.add(named[1])
            self.open.append(self.at)
            self.most.append(1)
            self._nothing(len(named[0]))
        elif flags := _FLAGS.match(rest, self.at):
            if flags[0].endswith(":"):
                self.open.append(self.at)
                self.most.append(1)
            self._nothing(len(flags[0]))
        else:
            self._fail("RE2 knows no such group: write (…), (?:…), (?P<name>…) or flags such as (?i)")

    def _repeat(self, width: int) -> None:
        if self.repeated:
            self._fail("two repetitions in a row; possessive ones (a++) are not in RE2")
        if not self.repeatable:
            self._fail("there is nothing to repeat here")
        self.at += width
        if self.at < len(self.pattern) and self.pattern[self.at] == "?":
            self.at += 1
        self.repeated = True

    def _counted(self, match: re.Match[str]) -> None:
        low = int(match[1]) if len(match[1]) < 6 else _MOST_REPEATS + 1
        high = low
        if match[3]:
            high = int(match[3]) if len(match[3]) < 6 else _MOST_REPEATS + 1
        if max(low, high) > _MOST_REPEATS:
            self._fail(f"RE2 repeats at most {_MOST_REPEATS} times")
        if high < low:
            self._fail("the repetition's end is before its start")
        factor = self.factor * max(high, 1)
        if factor > _MOST_REPEATS:
            self._fail(f"RE2 repeats at most {_MOST_REPEATS} times, repetitions inside repetitions multiplied")
        self._repeat(len(match[0]))
        self._factor(factor)

    def _escape(self) -> None:
        if self.pattern.startswith("\\Q", self.at):
            end = self.pattern.find("\\E", self.at + 2)
            quoted = (len(self.pattern) if end < 0 else end) - self.at - 2
            self.at += 2 + quoted + (0 if end < 0 else 2)
            self.repeatable, self.repeated = quoted > 0 or self.repeatable, False
            return
        self._atom(self._escaped(_ESCAPES))

    def _escaped(self, known: frozenset[str]) -> int:
        """Return the width of the escape at `self.at`."""
        following = self.at + 1
        if following >= len(self.pattern):
            self._fail("the pattern ends with a lone backslash")
        char = self.pattern[following]
        if char in "xpP":
            match = (_HEX if char == "x" else _UNICODE).match(self.pattern, following)
            if match is None:
                self._fail(f"incomplete escape \\{char}")
                return 2
            if char != "x" and match[0][1:].strip("{}^") not in UNICODE_CLASSES:
                self._fail(f"RE2 knows no class \\{match[0]}")
            return 1 + len(match[0])
        if char.isascii() and char.isdigit():
            return self._octal(following)
        if char.isalnum() and char not in known:
            self._fail(f"RE2 knows no escape \\{char}")
        return 2

    def _octal(self, following: int) -> int:
        digits = re.compile(r"[0-7]{1,3}").match(self.pattern, following)
        char = self.pattern[following]
        if digits is None or (char != "0" and len(digits[0]) == 1):
            self._fail(f"backreferences (\\{char}) are not in RE2")
            return 2
        return 1 + len(digits[0])

    def _class(self) -> None:
        start = self.at
        self.at += 1
        if self.pattern.startswith("^", self.at):
            self.at += 1
        first = True
        while True:
            if self.at >= len(self.pattern):
                self._fail("this [ is never closed", index=start)
            if self.pattern[self.at] == "]" and not first:
                break
            if posix := _POSIX.match(self.pattern, self.at):
                if posix[0].strip("[:^]") not in _POSIX_NAMES:
                    self._fail(f"RE2 knows no class {posix[0]}")
                self.at += len(posix[0])
            else:
                self._range()
            first = False
        self._atom(1)

    def _range(self) -> None:
        """Read one member of a class, or a range of two."""
        begin = self.at
        low = self._member()
        pattern = self.pattern
        if not pattern.startswith("-", self.at) or pattern.startswith("-]", self.at) or self.at + 1 >= len(pattern):
            return
        if low is None:
            # `[\d-z]`: Go takes the dash as itself only before the closing bracket.
            self._fail("a range cannot begin with a class of characters")
        self.at += 1
        high = self._member()
        if high is None or (low is not None and high < low):
            self._fail("this range ends before it begins", index=begin)

    def _member(self) -> int | None:
        """Return the code point read, or None for an escape that stands for many."""
        if self.pattern[self.at] != "\\":
            point = ord(self.pattern[self.at])
            self.at += 1
            return point
        width = self._escaped(_CLASS_ESCAPES)
        body = self.pattern[self.at + 1 : self.at + width]
        self.at += width
        if body[0] in _MULTI:
            return None
        if body[0] == "x":
            return int(body[1:].strip("{}"), 16)
        if body[0].isdigit():
            return int(body, 8)
        return ord({"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}.get(body[0], body[0]))
