"""Documents: paths to places, lazily."""

from __future__ import annotations

from daemun.config.document import Document, Spot


def test_places_are_computed_once_and_only_when_asked() -> None:
    """Nobody pays for places that nobody asks for."""
    calls: list[int] = []

    def spots() -> Spot:
        calls.append(1)
        return Spot(line=0, column=0)

    document = Document(file="a", text="x", data={}, spots=spots)
    assert calls == []
    document.place(("a",))
    document.place(("b",))
    assert calls == [1]


def test_child_is_found_without_case() -> None:
    """A path in the model's spelling finds the key as the user wrote it."""
    spot = Spot(line=0, column=0)
    inner = Spot(line=4, column=2)
    spot.children = {"EntryPoints": inner}
    assert spot.child("entrypoints") is inner
    assert spot.child("other") is None
    assert inner.child("x") is None


def test_a_line_beyond_the_text_has_no_source() -> None:
    """A place after the end (an empty file) is still a place."""
    document = Document(file="a", text="", data={}, spots=lambda: Spot(line=7, column=0))
    assert document.place(()).source == ""
    assert document.line(()) == 8
