"""Labels as a document: trees, places, and what contradicts itself."""

from __future__ import annotations

import pytest

from daemun.config.document import Tree
from daemun.errors import Place
from daemun.providers.docker.label_document import LabelDocument, document_of
from daemun.providers.docker.labels import Read, Setting, read_labels

FILE = "container web"


def document(labels: dict[str, str]) -> tuple[LabelDocument, Read]:
    read = read_labels(labels, file=FILE)
    return document_of(read.settings, file=FILE, read=read), read


def tree(labels: dict[str, str]) -> dict[str, Tree]:
    made, read = document(labels)
    assert read.problems == []
    return made.data


def test_dots_make_a_tree() -> None:
    """Each step is a table, a value stands at the end."""
    assert tree({"traefik.http.routers.web.rule": "Host(`a`)", "traefik.http.routers.web.priority": "3"}) == {
        "http": {"routers": {"web": {"priority": "3", "rule": "Host(`a`)"}}}
    }


def test_the_case_of_names_makes_no_difference() -> None:
    """One router, spelled as it was first, in the order of the labels' names."""
    labels = {"Traefik.HTTP.Routers.Web.Rule": "Host(`a`)", "traefik.http.routers.web.priority": "3"}
    assert tree(labels) == {"HTTP": {"Routers": {"Web": {"Rule": "Host(`a`)", "priority": "3"}}}}


def test_indices_make_a_list_in_their_order() -> None:
    """Ten comes behind nine; gaps close."""
    labels = {f"traefik.http.routers.r.tls.domains[{n}].main": f"d{n}" for n in (10, 9, 2)}
    assert tree(labels) == {
        "http": {"routers": {"r": {"tls": {"domains": [{"main": "d2"}, {"main": "d9"}, {"main": "d10"}]}}}}
    }


@pytest.mark.parametrize("value", ["true", "TRUE", ""])
def test_a_section_may_be_switched_on_beside_its_options(value: str) -> None:
    """`tls=true` adds nothing to `tls.certresolver`."""
    labels = {"traefik.http.routers.r.tls": value, "traefik.http.routers.r.tls.certresolver": "le"}
    assert tree(labels) == {"http": {"routers": {"r": {"tls": {"certresolver": "le"}}}}}


def test_a_section_that_is_switched_off_loses_its_options() -> None:
    """As in Traefik; and it is said, for it is hard to see."""
    made, read = document({"traefik.http.routers.r.tls": "false", "traefik.http.routers.r.tls.certresolver": "le"})
    assert made.data == {"http": {"routers": {"r": {"tls": "false"}}}}
    assert [problem.severity for problem in read.problems] == ["warning"]
    assert "http.routers.r.tls.certresolver, is not used" in read.problems[0].message


def test_a_value_beside_options_is_a_mistake() -> None:
    """Neither can be meant to hold; the router is spoiled."""
    read = document({"traefik.http.routers.r.rule": "Host(`a`)", "traefik.http.routers.r.rule.x": "1"})[1]
    assert [problem.severity for problem in read.problems] == ["error"]
    assert read.broken == {("router", "r")}


def test_the_same_option_twice_is_a_mistake() -> None:
    """Which of them is meant cannot be known."""
    read = document({"traefik.http.routers.r.Rule": "Host(`a`)", "traefik.http.routers.r.rule": "Host(`b`)"})[1]
    assert [problem.kind for problem in read.problems] == ["duplicate"]
    assert [place.file for place in read.problems[0].related] == [f"{FILE} (label traefik.http.routers.r.Rule)"]
    assert read.broken == {("router", "r")}


def test_items_beside_options_by_name_are_a_mistake() -> None:
    """A list is no table."""
    read = document(
        {"traefik.http.routers.r.tls.domains.main": "a", "traefik.http.routers.r.tls.domains[0].main": "b"}
    )[1]
    assert ["item of a list" in problem.message for problem in read.problems] == [True]
    assert read.broken == {("router", "r")}


def test_places_name_container_and_label() -> None:
    """A value's place has its text; an entry's place is its first label; lines there are none."""
    made, _ = document({"traefik.http.routers.r.rule": "Host(`a`)", "traefik.http.routers.r.priority": "1"})
    rule = made.place(("http", "routers", "r", "rule"), value=True)
    assert (rule.file, rule.source, rule.column) == (f"{FILE} (label traefik.http.routers.r.rule)", "Host(`a`)", 1)
    entry = made.place(("http", "routers", "r"))
    assert (entry.file, entry.line, entry.column) == (f"{FILE} (label traefik.http.routers.r.priority)", 0, 0)
    assert made.place(()).file.startswith(FILE)
    assert made.line(("http", "routers", "r")) == 0
    assert document_of([], file=FILE, read=Read()).place(("http",)).file == FILE


def test_what_nobody_wrote_has_the_containers_place() -> None:
    """A service that was linked by itself shows no text of a label."""
    made = document_of([Setting(path=("http", "routers", "r", "service"), value="web")], file=FILE, read=Read())
    assert made.place(("http", "routers", "r", "service"), value=True) == Place(file=FILE)
