"""The judge of RE2 patterns, as Go's regexp package reads them, and their canonical spelling.

`canonical_pattern` walks a pattern once (groups, classes, escapes, repetitions) and says where it is wrong, so
that a mistake has a place in a file. What it returns means the same in every RE2 dialect: quoted stretches, octal
escapes, lone braces and punctuation in classes are spelt out. It builds no automaton and matches nothing.
"""

from __future__ import annotations

import re

from daemun.traefik.re2_parts import (
    LETTERS,
    MANY,
    MOST_REPEATS,
    POSIX_NAMES,
    PatternError,
    code_point,
    in_class,
    in_pattern,
    missing_group,
)
from daemun.traefik.unicode_classes import UNICODE_CLASSES

__all__ = ["PatternError", "canonical_pattern", "check_pattern"]

_ESCAPES = frozenset("aftnrvdDsSwWbBAz")
_CLASS_ESCAPES = frozenset("aftnrvdDsSwW")
_FLAGS = re.compile(r"\(\?(?:[imsU]+(?:-[imsU]+)?|-[imsU]+)?[:)]")
_NAMED = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_HEX = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})")
_UNICODE = re.compile(r"([pP])(?:([A-Z])|\{(\^?)([A-Za-z_]+)\})")
_POSIX = re.compile(r"\[:\^?[a-z]+:\]")
_OCTAL = re.compile(r"[0-7]{1,3}")


def canonical_pattern(pattern: str) -> str:
    """Return the pattern, spelt out. Raises PatternError when it is not RE2."""
    walk = _Walk(pattern)
    walk.run()
    return "".join(walk.out)


def check_pattern(pattern: str) -> None:
    """Return when the pattern is valid RE2. Raises PatternError."""
    canonical_pattern(pattern)


class _Walk:
    """One pass over a pattern. `repeatable` tells whether a repetition may follow here."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.out: list[str] = []
        self.open: list[int] = []
        self.names: set[str] = set()
        self.repeatable = False
        self.repeated = False
        # How often counted repetitions repeat the last atom inside, and the most in each open group.
        self.factor = 1
        self.most = [1]

    def run(self) -> None:
        pattern = self.pattern
        while self.at < len(pattern):
            char = pattern[self.at]
            if char == "(":
                self._group()
            elif char == ")":
                self._close()
            elif char == "[":
                self._class()
            elif char == "\\":
                self._escape()
            elif char in "*+?":
                self._repeat(1)
            elif char == "{" and (match := _REPEAT.match(pattern, self.at)):
                self._counted(match)
            elif char == "|":
                self._nothing(1, char)
            else:
                self._atom(1, f"\\{char}" if char in "{}]" else char)
        if self.open:
            self._fail("this ( is never closed", index=self.open[-1])

    def _fail(self, message: str, *, index: int | None = None) -> None:
        raise PatternError(message, index=self.at if index is None else index)

    def _atom(self, width: int, out: str) -> None:
        self.at += width
        self.out.append(out)
        self.repeatable, self.repeated, self.factor = True, False, 1

    def _nothing(self, width: int, out: str) -> None:
        self.at += width
        self.out.append(out)
        self.repeatable, self.repeated = False, False

    def _factor(self, factor: int) -> None:
        self.factor = factor
        self.most[-1] = max(self.most[-1], factor)

    def _group(self) -> None:
        pattern, at = self.pattern, self.at
        if not pattern.startswith("(?", at):
            self._enter(1, "(")
        elif reason := missing_group(pattern, at):
            self._fail(reason)
        elif named := _NAMED.match(pattern, at):
            name = named[1]
            if name in self.names:
                self._fail(f"the group name {name!r} stands here twice")
            self.names.add(name)
            # Go lets a name begin with a digit, others do not; nothing here reads groups.
            self._enter(len(named[0]), "(" if name[0].isdigit() else f"(?P<{name}>")
        elif (flags := _FLAGS.match(pattern, at)) and flags[0].endswith(":"):
            self._enter(len(flags[0]), flags[0])
        elif flags and flags[0] != "(?)":
            self._nothing(len(flags[0]), flags[0])
        else:
            self._fail("RE2 knows no such group: write (…), (?:…), (?P<name>…) or flags such as (?i)")

    def _enter(self, width: int, out: str) -> None:
        self.open.append(self.at)
        self.most.append(1)
        self._nothing(width, out)

    def _close(self) -> None:
        if not self.open:
            self._fail("this ) closes nothing")
        self.open.pop()
        inside = self.most.pop()
        self._atom(1, ")")
        self._factor(inside)

    def _repeat(self, width: int) -> None:
        if self.repeated:
            self._fail("two repetitions in a row; possessive ones (a++) are not in RE2")
        if not self.repeatable:
            self._fail("there is nothing to repeat here")
        if self.pattern.startswith("?", self.at + width):
            width += 1
        self.out.append(self.pattern[self.at : self.at + width])
        self.at += width
        self.repeated = True

    def _counted(self, match: re.Match[str]) -> None:
        low = _bounded(match[1])
        high = _bounded(match[3]) if match[3] else low
        if max(low, high) > MOST_REPEATS:
            self._fail(f"RE2 repeats at most {MOST_REPEATS} times")
        if high < low:
            self._fail("the repetition's end is before its start")
        factor = self.factor * max(high, 1)
        if factor > MOST_REPEATS:
            self._fail(f"RE2 repeats at most {MOST_REPEATS} times, repetitions inside repetitions multiplied")
        self._repeat(len(match[0]))
        self._factor(factor)

    def _escape(self) -> None:
        if self.pattern.startswith("\\Q", self.at):
            end = self.pattern.find("\\E", self.at + 2)
            quoted = self.pattern[self.at + 2 : None if end < 0 else end]
            self.at = len(self.pattern) if end < 0 else end + 2
            self.out.extend(in_pattern(ord(char)) for char in quoted)
            if quoted:
                self.repeatable, self.repeated, self.factor = True, False, 1
            return
        width, out = self._escaped(_ESCAPES)
        self._atom(width, in_pattern(out) if isinstance(out, int) else out)

    def _escaped(self, known: frozenset[str]) -> tuple[int, str | int]:
        """Return the width of the escape at `self.at`, and the code point or the text it stands for."""
        following = self.at + 1
        if following >= len(self.pattern):
            self._fail("the pattern ends with a lone backslash")
        char = self.pattern[following]
        if char == "x":
            return self._hex(following)
        if char in "pP":
            return self._unicode(following)
        if char.isascii() and char.isdigit():
            return self._octal(following)
        if char in LETTERS:
            return 2, ord(LETTERS[char])
        if char.isascii() and not char.isalnum():
            return 2, ord(char)
        if char not in known:
            self._fail(f"RE2 knows no escape \\{char}")
        return 2, f"\\{char}"

    def _hex(self, following: int) -> tuple[int, int]:
        match = _HEX.match(self.pattern, following)
        point = code_point(match[0][1:].strip("{}")) if match else None
        if match is None or point is None:
            self._fail("\\x needs two hexadecimal digits, or a character's number in braces")
            return 0, 0
        return 1 + len(match[0]), point

    def _unicode(self, following: int) -> tuple[int, str]:
        match = _UNICODE.match(self.pattern, following)
        if match is None:
            self._fail(f"incomplete escape \\{self.pattern[following]}")
            return 0, ""
        name = match[2] or match[4]
        if name not in UNICODE_CLASSES:
            self._fail(f"RE2 knows no class \\{match[0]}")
        negated = (match[1] == "P") != bool(match[3])
        return 1 + len(match[0]), f"\\{'P' if negated else 'p'}{{{name}}}"

    def _octal(self, following: int) -> tuple[int, int]:
        digits = _OCTAL.match(self.pattern, following)
        char = self.pattern[following]
        if digits is None or (char != "0" and len(digits[0]) == 1):
            self._fail(f"backreferences (\\{char}) are not in RE2")
            return 0, 0
        return 1 + len(digits[0]), int(digits[0], 8)

    def _class(self) -> None:
        start, begin = self.at, len(self.out)
        self.at += 1
        self.out.append("[")
        if self.pattern.startswith("^", self.at):
            self.at += 1
            self.out.append("^")
        first = True
        while True:
            if self.at >= len(self.pattern):
                self._fail("this [ is never closed", index=start)
            if self.pattern[self.at] == "]" and not first:
                break
            if posix := _POSIX.match(self.pattern, self.at):
                if posix[0].strip("[:^]") not in POSIX_NAMES:
                    self._fail(f"RE2 knows no class {posix[0]}")
                self.at += len(posix[0])
                self.out.append(posix[0])
            else:
                self._range()
            first = False
        whole = "".join([*self.out[begin:], "]"])
        del self.out[begin:]
        self._atom(1, whole)

    def _range(self) -> None:
        """Read one member of a class, or a range of two."""
        begin, pattern = self.at, self.pattern
        low = self._member()
        if isinstance(low, str):
            self.out.append(low)
            # `[\d-z]`: Go takes a dash as itself only before the closing bracket.
            if pattern.startswith("-", self.at) and not pattern.startswith("-]", self.at):
                self._fail("a range cannot begin with a class of characters")
            return
        if not pattern.startswith("-", self.at) or pattern.startswith("-]", self.at) or self.at + 1 >= len(pattern):
            self.out.append(in_class(low))
            return
        self.at += 1
        high = self._member()
        if isinstance(high, str) or high < low:
            self._fail("this range ends before it begins", index=begin)
            return
        self.out.append(f"{in_class(low)}-{in_class(high)}")

    def _member(self) -> str | int:
        """Return the code point read, or the text of an escape that stands for many."""
        if self.pattern[self.at] != "\\":
            self.at += 1
            return ord(self.pattern[self.at - 1])
        following = self.pattern[self.at + 1 : self.at + 2]
        width, out = self._escaped(_CLASS_ESCAPES)
        if isinstance(out, str) and following not in MANY:
            self._fail(f"RE2 knows no escape \\{following} in a class")
        self.at += width
        return out


def _bounded(digits: str) -> int:
    """Return the number, or more than any repetition may be when it has too many digits."""
    return int(digits) if len(digits) <= len(str(MOST_REPEATS)) else MOST_REPEATS + 1
