"""nginx.conf and what it includes, as Directives: the reader.

    file ─ words ─► Directives ─ include (globs, in the order of their names) ─► one tree, every problem, every file

Facts (nginx): a relative `include` is relative to the directory of the main file; a pattern may match nothing, a plain
name must be there. Decisions: a syntax error ends its file, and the other files are read all the same. Which
directives there are is the business of catalogue.py; entries of `map`, `types` and their like are Directives too.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from daemun.errors import Place, Problem
from daemun.nginx.directive import Directive
from daemun.nginx.words import DIRECTIVE, MARK, PLAIN, TOKEN, WRONG, Spots, Text, meant

# Deeper than anybody nests; a file that includes itself gets here.
_DEEPEST_INCLUDE = 40
_DEEPEST_BLOCK = 100
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What stands in the files. `files` are all that were read or looked for, `patterns` the globs of includes."""

    directives: tuple[Directive, ...]
    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    patterns: tuple[str, ...] = ()

    def watched(self) -> list[Path]:
        """Return the files that count, now: what a pattern matches comes and goes."""
        found = dict.fromkeys(self.files)
        for pattern in self.patterns:
            directory = Path(pattern).parent
            if not _MAGIC & set(str(directory)):
                found[directory] = None
            found.update(dict.fromkeys(Path(name) for name in glob.glob(pattern)))  # noqa: PTH207 - as nginx's glob()
        return list(found)


ReadText = Callable[[Path], str]


def read(path: Path) -> Read:
    """Read a configuration file and what it includes."""
    reader = _Reader(prefix=path.parent)
    directives = reader.file(path, None, 0)
    return reader.read(directives)


def read_text(text: str, *, file: str = "nginx.conf") -> Read:
    """Read a configuration from a text; what it includes is relative to the directory of `file`."""
    reader = _Reader(prefix=Path(file).parent)
    directives = reader.text(Text(file, text), 0)
    return reader.read(directives)


@dataclass(slots=True)
class _Reader:
    prefix: Path
    files: dict[Path, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, directives: tuple[Directive, ...]) -> Read:
        """Return what was read."""
        return Read(
            directives=directives,
            files=tuple(self.files),
            patterns=tuple(self.patterns),
            problems=tuple(self.problems),
        )

    def file(self, path: Path, asked: Place | None, depth: int) -> tuple[Directive, ...]:
        """Read one file; `asked` is the include that names it."""
        self.files[path] = None
        if depth > _DEEPEST_INCLUDE:
            self._say(asked, f"{path} is included by itself, or too deeply", "", kind="file")
            return ()
        try:
            raw = path.read_bytes()
        except OSError as error:
            place = asked or Place(file=str(path))
            remedy = "" if asked is None else "a pattern such as conf.d/*.conf may match nothing"
            self._say(place, f"{path} cannot be read: {error.strerror or error}", remedy, kind="file")
            return ()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            self._say(Place(file=str(path), line=line), "the file is not UTF-8", "save it as UTF-8", kind="syntax")
            return ()
        return self.text(Text(str(path), text), depth)

    def text(self, text: Text, depth: int) -> tuple[Directive, ...]:
        return _File(reader=self, text=text, depth=depth).read()

    def include(self, pattern: str, place: Place, depth: int) -> tuple[Directive, ...]:
        full = pattern if os.path.isabs(pattern) else str(self.prefix / pattern)  # noqa: PTH117 - it may be a pattern
        if not _MAGIC & set(full):
            return self.file(Path(full), place, depth + 1)
        self.patterns[full] = None
        found: list[Directive] = []
        for name in sorted(glob.glob(full)):  # noqa: PTH207 - sorted as nginx's glob() sorts, hidden files left out
            found.extend(self.file(Path(name), place, depth + 1))
        return tuple(found)

    def _say(self, place: Place | None, message: str, remedy: str, *, kind: str) -> None:
        self.problems.append(Problem(severity="error", kind=kind, message=message, place=place, remedy=remedy))


class _SyntaxFault(Exception):
    def __init__(self, message: str, start: int, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.remedy = remedy


@dataclass(slots=True)
class _Said:
    """A directive's words, and where the first one begins."""

    words: list[str]
    start: int


@dataclass(slots=True)
class _File:
    reader: _Reader
    text: Text
    depth: int
    # What each open block has so far, and the words of the directive that opened it.
    open: list[tuple[list[Directive], _Said]] = field(default_factory=list)
    here: list[Directive] = field(default_factory=list)

    def read(self) -> tuple[Directive, ...]:
        try:
            self._read()
        except _SyntaxFault as fault:
            place = self.text.place(fault.start)
            self.reader.problems.append(
                Problem(severity="error", kind="syntax", message=fault.message, place=place, remedy=fault.remedy)
            )
            while self.open:  # what was read of it is judged all the same
                self._close()
        return tuple(self.here)

    def _read(self) -> None:
        text, at = self.text.text, 0
        while at < len(text):
            match = DIRECTIVE.match(text, at)
            if match is None:
                at = self._read_words(at)
                continue
            at = match.end()
            words, mark = match.groups()
            if words is None:
                self._mark(mark, match.start(2), _Said([], at))
            elif mark == ";":
                self._add(words.split(), match.start(1), None)
            elif mark == "}" or words[-1] == "$":  # something is missing; `${` opens no block
                at = self._read_words(match.start(1))
            else:
                self._open(_Said(words.split(), match.start(1)), match.start(2))
        if self.open:
            opening = self.open[-1][1]
            remedy = f"the block of {opening.words[0]} is not closed"
            raise _SyntaxFault('unexpected end of file, expecting "}"', opening.start, remedy=remedy)

    def _read_words(self, begin: int) -> int:
        """Read one directive, or the end of a block, word by word; return where it ends."""
        said = _Said([], begin)
        glued = -1  # where a quoted word ended: something must stand between it and the next
        for match in TOKEN.finditer(self.text.text, begin):
            kind = match.lastindex
            if kind is None:
                continue
            word = match[kind]
            start, end = match.span()
            if kind == MARK:
                self._mark(word, start, said)
                return end
            if kind == WRONG:
                raise _unclosed(word, start)
            if start == glued and not (kind == PLAIN and word.startswith(")")):
                raise _SyntaxFault(
                    f'unexpected "{self.text.text[start]}"', start, remedy="a quoted word ends with its quote"
                )
            glued = -1 if kind == PLAIN else end
            if not said.words:
                said.start = start
            said.words.append(meant(word) if "\\" in word else word)
        if said.words:
            remedy = f"a ; is missing after {said.words[-1]}"
            raise _SyntaxFault('unexpected end of file, expecting ";" or "}"', said.start, remedy=remedy)
        return len(self.text.text)

    def _mark(self, mark: str, start: int, said: _Said) -> None:
        """End a directive, open its block or close one."""
        if mark == "}":
            if said.words:
                raise _SyntaxFault('unexpected "}"', start, remedy=f"a ; is missing after {said.words[-1]}")
            if not self.open:
                raise _SyntaxFault('unexpected "}"', start, remedy="there is no open block: one } too many")
            self._close()
        elif not said.words:
            raise _SyntaxFault(f'unexpected "{mark}"', start, remedy="a directive's name stands before it")
        elif mark == ";":
            self._add(said.words, said.start, None)
        else:
            self._open(said, start)

    def _open(self, said: _Said, start: int) -> None:
        if len(self.open) >= _DEEPEST_BLOCK:
            raise _SyntaxFault("blocks are nested too deeply", start)
        self.open.append((self.here, said))
        self.here = []

    def _close(self) -> None:
        inner = tuple(self.here)
        self.here, opening = self.open.pop()
        self._add(opening.words, opening.start, inner)

    def _add(self, words: list[str], start: int, block: tuple[Directive, ...] | None) -> None:
        name, *args = words
        spots = Spots(self.text, start, len(words))
        if name == "include" and block is None and len(args) == 1:
            self.here.extend(self.reader.include(args[0], spots[1], self.depth))
            return
        self.here.append(Directive(name=name, args=tuple(args), spots=spots, block=block))


def _unclosed(word: str, start: int) -> _SyntaxFault:
    remedy = "" if word == "\\" else f"the quote {word} is not closed"
    return _SyntaxFault('unexpected end of file, expecting ";" or "}"', start, remedy=remedy)
