"""Problems: what a person sees (place, source line, caret, advice) and what a program reads."""

from __future__ import annotations

import json

import pytest

from daemun.errors import (
    ConfigError,
    DaemunError,
    EngineError,
    Place,
    PlanError,
    Problem,
    RuleError,
    nearest,
    problem_as_dict,
    render_problem,
)


def problem(**changes: object) -> Problem:
    place = Place(file="a.toml", line=3, column=5, source="    adress = 1", width=6)
    values: dict[str, object] = {"severity": "error", "kind": "unknown", "message": "unknown option", "place": place}
    return Problem(**{**values, **changes})  # type: ignore[arg-type]


def test_headline_has_file_line_and_column() -> None:
    """The first line is `file:line:column: severity: message`, as editors and CI understand it."""
    assert render_problem(problem()).splitlines()[0] == "a.toml:3:5: error: unknown option"


def test_caret_underlines_what_is_wrong() -> None:
    """Under the source line stand as many carets as the wrong text is wide."""
    assert render_problem(problem()).splitlines()[1:] == ["  3 |     adress = 1", "    |     ^^^^^^"]


def test_wide_characters_take_two_cells() -> None:
    """A caret stands under Korean text, which terminals draw twice as wide."""
    place = Place(file="a", line=1, column=3, source="대문x", width=1)
    assert render_problem(problem(place=place)).splitlines()[2] == "    |     ^"


def test_tabs_are_kept_under_tabs() -> None:
    """Tabs before the fault are repeated, so that the caret lines up whatever their width."""
    place = Place(file="a", line=1, column=2, source="\tx", width=1)
    assert render_problem(problem(place=place)).splitlines()[2] == "    | \t^"


def test_advice_follows() -> None:
    """The nearest name, the remedy and other places stand below."""
    text = render_problem(
        problem(suggestion="address", remedy="write it", related=(Place(file="b.toml", line=9, column=1),))
    )
    assert text.splitlines()[3:] == ["  did you mean 'address'?", "  write it", "  also at b.toml:9:1"]


def test_without_a_place() -> None:
    """A problem without a place is one line."""
    assert render_problem(problem(place=None)) == "error: unknown option"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(file="a"), "a"),
        (Place(file="a", line=2), "a:2"),
        (Place(file="a", line=2, column=7), "a:2:7"),
    ],
)
def test_place_says_what_is_known(place: Place, text: str) -> None:
    """A place leaves out the line and column it does not know."""
    assert str(place) == text


def test_json_holds_everything_and_says_null() -> None:
    """The JSON form has every key, null where there is nothing, and can be dumped."""
    found = problem_as_dict(problem(place=Place(file="a"), suggestion="address"))
    assert found["place"] == {"file": "a", "line": None, "column": None}
    assert found["suggestion"] == "address"
    assert found["remedy"] is None
    assert json.loads(json.dumps(found)) == found


def test_config_error_carries_every_problem() -> None:
    """A ConfigError keeps all problems, and its text is all of them."""
    error = ConfigError(problems=[problem(), problem(message="another")])
    assert len(error.problems) == 2
    assert "unknown option" in str(error)
    assert "another" in str(error)


@pytest.mark.parametrize(("rule", "index", "offset"), [("Host(`a`)", 5, 5), ("Host(`대`) x", 10, 12), ("", 0, 0)])
def test_rule_error_counts_bytes(rule: str, index: int, offset: int) -> None:
    """A RuleError's offset counts bytes of UTF-8, as the rule's length (its priority) does."""
    error = RuleError(rule=rule, index=index, width=1, message="no")
    assert error.offset == offset
    assert error.problem.place is not None
    assert error.problem.place.column == offset + 1


@pytest.mark.parametrize("kind", [ConfigError, RuleError, PlanError, EngineError])
def test_the_tree_has_one_root(kind: type[Exception]) -> None:
    """Every exception of ours is a DaemunError."""
    assert issubclass(kind, DaemunError)


@pytest.mark.parametrize(
    ("name", "near"), [("adress", "address"), ("ADDRES", "address"), ("zzz", ""), ("asdefault", "asDefault")]
)
def test_nearest_ignores_case(name: str, near: str) -> None:
    """The nearest known name is found whatever the case; nothing is suggested for nonsense."""
    assert nearest(name, ["address", "asDefault", "http"]) == near
