"""Names of labels: their paths, and what cannot be read."""

from __future__ import annotations

import pytest

from daemun.providers.docker.labels import owner, read_labels

FILE = "container web"


def test_other_labels_are_nobodys_business() -> None:
    """Only what begins with `traefik.` is read; a longer word is another word."""
    read = read_labels({"com.docker.compose.project": "x", "traefikx.a": "1", "maintainer": "me"}, file=FILE)
    assert (read.settings, read.problems) == ([], [])


def test_a_header_may_have_dots_in_its_name() -> None:
    """Below a map of headers the rest is one name."""
    read = read_labels({"traefik.http.middlewares.m.headers.customRequestHeaders.X.A-B": "v"}, file=FILE)
    assert read.settings[0].path == ("http", "middlewares", "m", "headers", "customRequestHeaders", "X.A-B")


@pytest.mark.parametrize(
    ("name", "spoiled"),
    [
        ("traefik.http.routers.r.tls.domains[].main", ("router", "r")),
        ("traefik.http.routers.r.tls.domains[x].main", ("router", "r")),
        ("traefik.http.routers.r..rule", ("router", "r")),
        ("traefik.http.services.s.[0].x", ("service", "s")),
        ("traefik.http.middlewares.m.a]", ("middleware", "m")),
        ("traefik.http.routers..rule", ("router", "")),
    ],
)
def test_a_name_that_is_none_spoils_its_owner(name: str, spoiled: tuple[str, str]) -> None:
    """The label is named, and only what it belongs to suffers."""
    read = read_labels({name: "1", "traefik.http.routers.fine.rule": "Host(`a`)"}, file=FILE)
    assert [problem.place.file for problem in read.problems if problem.place] == [f"{FILE} (label {name})"]
    assert read.broken == {spoiled}
    assert [setting.path[2] for setting in read.settings] == ["fine"]


def test_what_belongs_to_nobody_spoils_nobody() -> None:
    """A label that is no name of an option and leads into no entry is only said."""
    read = read_labels({"traefik": "1", "traefik.": "2", "traefik.docker..x": "3"}, file=FILE)
    assert (len(read.problems), read.broken, read.settings) == (3, set(), [])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("HTTP", "Routers", "a", "rule"), ("router", "a")),
        (("http", "services", "a"), ("service", "a")),
        (("http", "routers"), ("router", "")),
        (("http", "serverstransports", "a"), None),
        (("tls", "routers", "a"), None),
        (("http",), None),
    ],
)
def test_a_path_leads_into_an_entry(path: tuple[str, ...], expected: tuple[str, str] | None) -> None:
    """Routers, services and middlewares are entries."""
    assert owner(path) == expected
