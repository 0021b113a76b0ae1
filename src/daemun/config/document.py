"""A configuration file as a tree of plain values that remembers its places.

The readers (TOML, YAML) build a Document; models are validated from its `data`, and whoever has
something to say about an option asks `place(path)`. Places of TOML are computed on the first
question, because nearly every configuration is right. Nothing here knows what an option means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from daemun.errors import Place

Scalar = str | int | float | bool | None
Tree = Scalar | list["Tree"] | dict[str, "Tree"]
Path = tuple[str | int, ...]


class Spot:
    """Where a key and its value begin: lines and columns count from 0, columns as the reader counts."""

    __slots__ = ("children", "column", "key_column", "key_line", "key_width", "line", "width")

    def __init__(self, *, line: int, column: int, width: int = 1) -> None:
        """Begin at a value; the key is the value until `at_key` says otherwise."""
        self.line = self.key_line = line
        self.column = self.key_column = column
        self.width = self.key_width = width
        self.children: dict[str | int, Spot] | None = None

    def at_key(self, *, line: int, column: int, width: int) -> None:
        """Remember where the key of this value stands."""
        self.key_line, self.key_column, self.key_width = line, column, width

    def child(self, step: str | int) -> Spot | None:
        """Return the spot one step down, names compared without case when not found as written."""
        if self.children is None:
            return None
        found = self.children.get(step)
        if found is None and isinstance(step, str):
            wanted = step.lower()
            for name, spot in self.children.items():
                if isinstance(name, str) and name.lower() == wanted:
                    return spot
        return found


@dataclass(frozen=True, kw_only=True)
class Document:
    """One parsed text. `byte_columns` says that the spots count bytes (tree-sitter), not characters.

    `sources` name what each line is when this is no file: a flag, a variable.
    """

    file: str
    text: str = field(repr=False)
    data: dict[str, Tree] = field(repr=False)
    spots: Callable[[], Spot] = field(repr=False, compare=False)
    byte_columns: bool = False
    sources: tuple[str, ...] = ()

    @cached_property
    def root(self) -> Spot:
        """Return the spot of the whole document, computing all places on the first call."""
        return self.spots()

    @cached_property
    def lines(self) -> list[str]:
        """Return the text's lines without their ends."""
        return self.text.split("\n")

    def find(self, path: Path) -> tuple[Spot, bool]:
        """Return the deepest spot known on the path, and whether it is the whole path."""
        spot = self.root
        for step in path:
            below = spot.child(step)
            if below is None:
                return spot, False
            spot = below
        return spot, True

    def depth(self, path: Path) -> int:
        """Return how many steps of the path are known here."""
        spot = self.root
        for number, step in enumerate(path):
            below = spot.child(step)
            if below is None:
                return number
            spot = below
        return len(path)

    def line(self, path: Path) -> int:
        """Return the line (from 1) of the path's key, or of its nearest known ancestor."""
        return self.find(path)[0].key_line + 1

    def place(self, path: Path, *, value: bool = False) -> Place:
        """Return the place of the path's key, or of its value."""
        spot, whole = self.find(path)
        if value and whole:
            return self.at(spot.line, spot.column, spot.width)
        return self.at(spot.key_line, spot.key_column, spot.key_width)

    def at(self, line: int, column: int, width: int = 1) -> Place:
        """Return the place at a line and column counted from 0 in the reader's units."""
        if self.sources:
            return Place(file=self.sources[line])
        source = self.lines[line].rstrip("\r") if 0 <= line < len(self.lines) else ""
        if self.byte_columns:
            raw = source.encode()
            start = len(raw[:column].decode(errors="ignore"))
            width = len(raw[column : column + width].decode(errors="ignore"))
            column = start
        return Place(file=self.file, line=line + 1, column=column + 1, source=source, width=max(width, 1))
