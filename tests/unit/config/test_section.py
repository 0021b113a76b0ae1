"""Sections: names without case, all errors at once, each at its place."""

from __future__ import annotations

from typing import ClassVar, Literal

import pytest
from pydantic import Field

from daemun.config.read import read_text
from daemun.config.section import Names, Section, read_section, subject
from daemun.errors import Problem


class Wheel(Section):
    size: int = Field(ge=1)
    kind: Literal["wood", "steel"] = "wood"


class Cart(Section):
    not_yet: ClassVar[tuple[str, ...]] = ("roofRack",)
    not_yet_means: ClassVar[dict[str, str]] = {"*": "the cart stays open"}
    elsewhere: ClassVar[dict[str, str]] = {"horse": "horses have a stable"}
    ownerName: str = ""  # noqa: N815  (its alias is itself)
    wheels: tuple[Wheel, ...] = ()
    named: dict[str, Wheel] = {}
    tags: Names = ()
    fast: bool = False
    line: int = Field(default=0, exclude=True)


def read(text: str) -> tuple[Cart | None, list[Problem]]:
    document = read_text(text, file="c.yml")
    return read_section(Cart, document, path=(), tree=document.data)


def test_names_have_no_case() -> None:
    """Options are found in any case, at every depth."""
    cart, problems = read("WHEELS: [{SIZE: 3}]\nNamed: {Left: {Kind: steel, size: 1}}\nownername: x")
    assert problems == []
    assert cart is not None
    assert cart.wheels == (Wheel(size=3),)
    assert cart.named == {"Left": Wheel(size=1, kind="steel")}
    assert cart.ownerName == "x"


@pytest.mark.parametrize(
    ("text", "place", "kind", "words"),
    [
        ("wheelz: []", "c.yml:1:1", "unknown", "unknown option 'wheelz'"),
        ("wheels: [{size: big}]", "c.yml:1:17", "value", "expected a whole number"),
        ("wheels: [{size: 0}]", "c.yml:1:17", "value", "expected at least 1"),
        ("wheels:\n- kind: wood", "c.yml:2:3", "missing", "wheels[0].size is missing"),
        ("wheels: [{size: 1, kind: steal}]", "c.yml:1:26", "value", "expected wood or steel"),
        ("wheels: 3", "c.yml:1:9", "value", "expected a list"),
        ("named: {a: 3}", "c.yml:1:12", "value", "expected a table of options"),
        ("fast: maybe", "c.yml:1:7", "value", "expected true or false"),
        ("fast: true\nFAST: false", "c.yml:2:1", "duplicate", "stands here twice"),
        ("horse: 1", "c.yml:1:1", "placement", "does not belong here"),
        ("line: 1", "c.yml:1:1", "unknown", "unknown option 'line'"),
        ("pending: [a]", "c.yml:1:1", "unknown", "unknown option 'pending'"),
    ],
)
def test_errors_have_their_place(text: str, place: str, kind: str, words: str) -> None:
    """Every fault is an error of its kind, at the key (unknown) or at the value (wrong)."""
    cart, [problem] = read(text)
    assert cart is None
    assert problem.severity == "error"
    assert str(problem.place) == place
    assert problem.kind == kind
    assert words in problem.message


def test_all_errors_at_once() -> None:
    """One reading finds every fault."""
    _, problems = read("wheelz: 1\nfast: maybe\nwheels: [{size: x}, {kind: y}]\n")
    assert len(problems) == 5


def test_suggestions() -> None:
    """Unknown names and wrong choices come with the nearest right one."""
    _, problems = read("wheelz: 1\nwheels: [{size: 1, kind: steal}]\n")
    assert [problem.suggestion for problem in problems] == ["wheels", "steel"]


def test_a_misspelt_required_option_is_one_problem() -> None:
    """`sise` is not also reported as a missing `size`."""
    _, [problem] = read("wheels: [{sise: 1}]")
    assert problem.suggestion == "size"


def test_not_yet_is_a_warning_and_is_remembered() -> None:
    """What comes later is said with its place and its consequence, and stands in `pending`."""
    cart, [problem] = read("roofrack: {any: thing}")
    assert cart is not None
    assert cart.pending == ("roofRack",)
    assert (problem.severity, problem.kind, problem.remedy) == ("warning", "not_yet", "the cart stays open")


def test_an_option_without_value_is_ignored_and_said() -> None:
    """`wheels:` with nothing after it means nothing, as in Traefik."""
    cart, [problem] = read("wheels:")
    assert cart == Cart()
    assert problem.kind == "empty"


def test_lists_of_names_may_be_one_text() -> None:
    """One text stands for a list, split at commas."""
    cart, _ = read("tags: a, b,c")
    assert cart is not None
    assert cart.tags == ("a", "b", "c")


def test_numbers_are_texts_where_texts_are_meant() -> None:
    """A bare number is fine where a text is expected."""
    cart, _ = read("ownerName: 12")
    assert cart is not None
    assert cart.ownerName == "12"


def test_subject() -> None:
    """A path is shown as people write it."""
    assert subject(("http", "servers", 0, "url")) == "http.servers[0].url"
