"""Constraints: which labels satisfy them, and what is wrong with one."""

from __future__ import annotations

import pytest

from daemun.errors import ConfigError
from daemun.traefik.constraints import check_constraints, parse_constraints, satisfied
from daemun.traefik.read import load_static

LABELS = {"tier": "web", "stage": "production", "empty": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("Label(`tier`, `web`)", True),
        ('Label("tier", "web")', True),
        ("Label(`tier`, `we`)", False),
        ("Label(`Tier`, `web`)", False),
        ("Label(`absent`, `x`)", False),
        ("Label(`absent`, ``)", True),
        ("!Label(`tier`, `web`)", False),
        ("Label(`tier`, `web`) && Label(`stage`, `production`)", True),
        ("Label(`tier`, `db`) || Label(`stage`, `production`)", True),
        ("Label(`tier`, `db`) && Label(`stage`, `production`) || Label(`tier`, `web`)", True),
        ("!(Label(`tier`, `db`) || Label(`stage`, `test`))", True),
        ("LabelRegex(`stage`, `^prod`)", True),
        ("LabelRegex(`stage`, `duct`)", True),
        ('LabelRegex("stage", "^[a-z]+\\\\z")', True),
        ("LabelRegex(`stage`, `^x`)", False),
        ("LabelRegex(`absent`, `^$`)", True),
    ],
)
def test_labels_are_what_constraints_want(text: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """An absent label is an empty text, a pattern is not anchored, names are compared exactly."""
    assert satisfied(parse_constraints(text), LABELS) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ", "byte 1: the rule is empty (write Label(`tier`, `web`))"),
        ("Label(`a`)", "byte 1: Label takes 2 arguments, not 1 (write Label(`name of the label`, `value`))"),
        ("Label(`a`, `b`, `c`)", "byte 17: Label takes 2 arguments, not 3"),
        ("label(`a`, `b`)", "byte 1: no matcher is spelled 'label' (did you mean Label?)"),
        ("LabelRegexp(`a`, `b`)", "byte 1: unknown matcher 'LabelRegexp' (did you mean LabelRegex?)"),
        ("Host(`a`)", "byte 1: unknown matcher 'Host' (constraints have Label and LabelRegex)"),
        ("LabelRegex(`a`, `(`)", "byte 17: invalid regular expression: this ( is never closed"),
        ("Label(`a`, `b`) and Label(`c`, `d`)", "byte 17: and cannot follow a matcher (AND is written &&)"),
        ("`a`", "byte 1: expected a matcher here, not the text 'a'"),
        ("Label", "byte 1: Label needs its arguments (write Label(`name`, `value`))"),
    ],
)
def test_faults_have_a_place_and_a_remedy(text: str, message: str) -> None:
    """The rules' own grammar says them."""
    with pytest.raises(ValueError, match="byte") as caught:
        check_constraints(text)
    assert str(caught.value).startswith(message)


def test_the_static_configuration_judges_them() -> None:
    """Constraints and default rule are wrong where they stand, before any container is looked at."""
    text = "[providers.docker]\nconstraints = 'Labl(`a`, `b`)'\ndefaultRule = 'Host(`{{ nam }}`)'\n"
    with pytest.raises(ConfigError) as caught:
        load_static(text)
    places = [(str(problem.place), problem.subject) for problem in caught.value.problems]
    assert places == [
        ("traefik.toml:3:15", "providers.docker.defaultRule"),
        ("traefik.toml:2:15", "providers.docker.constraints"),
    ]
