"""Documents laid over each other: what a higher one says wins, and every option keeps the place where it was said.

    flags ─ over ─► variables ─ over ─► file ──► one Document

Tables add up, whatever the case of their names; values and lists are replaced; None (a section switched off) takes away
what lies below. Nothing here knows an option.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from daemun.config.document import Document, Path, Spot, Tree
from daemun.errors import Place


@dataclass(frozen=True, kw_only=True)
class Layers(Document):
    """A document made of others; the highest comes first."""

    layers: tuple[Document, ...]

    def find(self, path: Path) -> tuple[Spot, bool]:
        """Return the deepest spot known on the path, and whether it is the whole path."""
        return self._said(path).find(path)

    def place(self, path: Path, *, value: bool = False) -> Place:
        """Return the place of the path's key, or of its value, in the document that says it."""
        return self._said(path).place(path, value=value)

    def _said(self, path: Path) -> Document:
        """Return the highest document that knows the most of the path; the lowest when none knows any."""
        said = max(self.layers, key=lambda one: one.depth(path))
        return said if said.depth(path) else self.layers[-1]


def laid_over(low: Document, *higher: Document) -> Document:
    """Return the document with others laid over it, each over those before it; itself when they say nothing."""
    said = [document for document in higher if document.data]
    if not said:
        return low
    data = low.data
    for document in said:
        data = _merged(data, document.data)
    return Layers(file=low.file, text=low.text, data=data, spots=low.spots, layers=(*reversed(said), low))


def spelled_like(document: Document, other: Document) -> Document:
    """Return the document with names written as the other writes them, where only their case differs.

    For variables, whose names have lost theirs.
    """
    return replace(document, data=_spelled(document.data, other.data))


def _spelled(tree: dict[str, Tree], like: dict[str, Tree]) -> dict[str, Tree]:
    names = {name.lower(): name for name in reversed(like)}
    spelled: dict[str, Tree] = {}
    for written, value in tree.items():
        name = names.get(written.lower(), written)
        below = like.get(name)
        spelled[name] = _spelled(value, below) if isinstance(value, dict) and isinstance(below, dict) else value
    return spelled


def _merged(low: dict[str, Tree], high: dict[str, Tree]) -> dict[str, Tree]:
    merged = dict(low)
    names = {name.lower(): name for name in reversed(low)}
    for written, value in high.items():
        name = names.get(written.lower(), written)
        before = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = _merged(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged
