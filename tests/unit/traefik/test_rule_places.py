"""Rule errors in files: the caret stands in the file."""

from __future__ import annotations

import pytest

from daemun.errors import Place
from daemun.traefik.read import load_dynamic_text


def first_place(text: str, file: str) -> Place:
    _, problems = load_dynamic_text(text, file=file)
    place = problems[0].place
    assert place is not None
    return place


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("d.toml", "[http.routers.r]\nservice='s'\nrule = \"Host(`a`) && Paht(`/`)\"", "d.toml:3:22"),
        ("d.toml", "[http.routers.r]\nservice='s'\nrule = 'Host(`대`, `b`)'", "d.toml:3:19"),
        ("d.yml", "http: {routers: {r: {service: s, rule: Host(`a`) Path(`/`)}}}", "d.yml:1:50"),
        ("d.yml", "http:\n  routers:\n    r:\n      rule: Host(`a`", "d.yml:4:17"),
        ("d.yml", "http:\n  routers:\n    r:\n      rule: ''", "d.yml:4:13"),
    ],
)
def test_the_caret_stands_under_the_fault(file: str, text: str, where: str) -> None:
    """On one line, the place is that of the fault inside the rule."""
    assert str(first_place(text, file)) == where


def test_a_folded_rule_is_named_by_its_first_line() -> None:
    """Over several lines, the place is where the rule begins and the rule is shown."""
    text = "http:\n  routers:\n    r:\n      rule: >-\n        Host(`a`) &&\n        Paht(`/`)\n"
    _, problems = load_dynamic_text(text, file="d.yml")
    assert str(problems[0].place) == "d.yml:4:13"
    assert "Host(`a`) && Paht(`/`)" in problems[0].message
    assert "byte 14" in problems[0].message
