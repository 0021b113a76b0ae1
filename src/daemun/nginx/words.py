r"""The text of an nginx file to words with their places: the lexer.

Facts (nginx's ngx_conf_file.c): words end at blanks, `;` and `{`; a word may begin with a quote and then ends at it, and
what follows must be a blank, `;`, `{` or `)`; a backslash takes the next character along; `${` opens no block; `#`
begins a comment only where a word would begin. Afterwards a backslash goes away before a quote and a backslash, `\\t`,
`\\r` and `\\n` become the characters, any other backslash stays (so `\\.` of a regex does). Nothing here knows a directive.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from typing import overload

from daemun.errors import Place

# One after the other these take a whole text apart: what is between words, what ends a directive, a quoted word, a plain one, and what is none of these.
TOKEN = re.compile(
    r"""
      [ \t\r\n]+ | \#[^\n]*
    | ([;{}])
    | "((?:[^"\\]|\\[\s\S])*)"
    | '((?:[^'\\]|\\[\s\S])*)'
    | ((?:\\[\s\S]|\$\{|[^ \t\r\n;{}\#"'\\])(?:\\[\s\S]|\$\{|[^ \t\r\n;{\\])*)
    | ([\s\S])
    """,
    re.VERBOSE,
)
# A directive as most are: its words, without quotes, escapes and comments between them, and what ends it; or the end of
# a block (group 2 alone). Where it does not match, `TOKEN` says what stands there.
DIRECTIVE = re.compile(
    r"""
    [ \t\r\n]*+ (?: \#[^\n]*+ [ \t\r\n]*+ )*+
    ( [!$%&(-:<-Z\[\]^-z|~] [!$%&(-:<-Z\[\]^-z|~\ \t\r\n]* )? ([;{}])
    """,
    re.VERBOSE,
)
# The groups of `TOKEN`; none for what is between words.
MARK, DOUBLE, SINGLE, PLAIN, WRONG = 1, 2, 3, 4, 5
_ESCAPE = re.compile(r"""\\(["'\\trn])""")
_MEANT = {"t": "\t", "r": "\r", "n": "\n"}


class Text:
    """A file's text, which turns offsets into places."""

    __slots__ = ("_starts", "file", "text")

    def __init__(self, file: str, text: str) -> None:
        """Keep the text; lines are found when a place is first asked for."""
        self.file = file
        self.text = text
        self._starts: list[int] = []

    def line(self, start: int) -> int:
        """Return the number of the line at this offset."""
        if not self._starts:
            self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        return bisect_right(self._starts, start)

    def place(self, start: int, width: int = 1) -> Place:
        """Return the place of what stands at this offset."""
        line = self.line(start)
        begin = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        source = self.text[begin:end].rstrip("\r\n")
        return Place(file=self.file, line=line, column=start - begin + 1, source=source, width=max(width, 1))


class Spots(Sequence[Place]):
    """The places of words, looked for when they are asked for: most never are. The first of `count` words is at `start`."""

    __slots__ = ("_count", "_first", "_start", "_text")

    def __init__(self, text: Text, start: int, count: int, first: int = 0) -> None:
        """Keep where the words stand, from the word `first` on."""
        self._text = text
        self._start = start
        self._count = count
        self._first = first

    def after_first(self) -> Spots:
        """Return the places of all words but the first."""
        return Spots(self._text, self._start, self._count, self._first + 1)

    @property
    def file(self) -> str:
        """The file they stand in."""
        return self._text.file

    @property
    def line(self) -> int:
        """The line of the first one."""
        return self._text.line(self._spans()[0][0]) if self._first else self._text.line(self._start)

    def __len__(self) -> int:
        """Return how many words there are."""
        return self._count - self._first

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Place]: ...
    def __getitem__(self, index: int | slice) -> Place | Sequence[Place]:
        """Return the place of a word."""
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        start, end = self._spans()[index % len(self)]
        return self._text.place(start, end - start)

    def _spans(self) -> list[tuple[int, int]]:
        """Find where each of the words begins and ends."""
        words = (match.span() for match in TOKEN.finditer(self._text.text, self._start) if match.lastindex is not None)
        return list(islice(words, self._first, self._count))


def meant(word: str) -> str:
    """Return the word with its escapes resolved."""
    if "\\" not in word:
        return word
    return _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[1]), word)
