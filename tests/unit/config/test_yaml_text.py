"""YAML: values as Go reads them, and the place of each."""

from __future__ import annotations

import pytest

from daemun.config.document import Path, Tree
from daemun.config.yaml_text import read_yaml
from daemun.errors import ConfigError

TEXT = """\
http:
  routers:
    web: {rule: "Host(`a`)", entryPoints: [one, two]}
  services:
    api:
      servers:
        - url: http://1
        - url: http://2
"""


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("http", "routers", "web"), False, (3, 5)),
        (("http", "routers", "web", "rule"), True, (3, 17)),
        (("http", "routers", "web", "entryPoints", 1), True, (3, 49)),
        (("http", "services", "api", "servers", 1, "url"), False, (8, 11)),
        (("http", "services", "api", "nothing"), False, (5, 5)),
    ],
)
def test_places(path: Path, value: bool, place: tuple[int, int]) -> None:  # noqa: FBT001
    """Keys and values are found where they stand."""
    found = read_yaml(TEXT, file="a.yml").place(path, value=value)
    assert (found.line, found.column) == place


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("yes", "yes"),
        ("on", "on"),
        ("null", None),
        ("", None),
        ("12", 12),
        ("0x10", 16),
        ("1.5", 1.5),
        ("1:30", "1:30"),
        ("2020-01-02", "2020-01-02"),
        ("'12'", "12"),
        ("10s", "10s"),
    ],
)
def test_scalars_as_in_go(text: str, value: Tree) -> None:
    """Only true and false are booleans, minutes and dates stay text."""
    assert read_yaml(f"a: {text}", file="a").data == {"a": value}


def test_anchors_and_merges() -> None:
    """Aliases repeat a value, `<<` fills in what the mapping does not say itself."""
    data = read_yaml("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x\nw: {<<: [*x, {c: 4}]}", file="a").data
    assert data["y"] == {"b": 3, "a": 1}
    assert data["z"] == {"a": 1, "b": 2}
    assert data["w"] == {"a": 1, "b": 2, "c": 4}


def test_equal_keys_are_an_error_with_both_places() -> None:
    """A key that stands twice is refused, naming the first."""
    with pytest.raises(ConfigError) as caught:
        read_yaml("a:\n  b: 1\n  b: 2\n", file="a.yml")
    [problem] = caught.value.problems
    assert str(problem.place) == "a.yml:3:3"
    assert [str(place) for place in problem.related] == ["a.yml:2:3"]


@pytest.mark.parametrize(
    "text", ["a: [1", "a:\n\t- b", "- 1\n- 2", "just text", "? [a]\n: 1", "a: *nowhere", "a: \x01"]
)
def test_what_is_no_configuration_is_refused(text: str) -> None:
    """Broken YAML and files that are no mapping give a Problem with a place."""
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, file="a.yml")
    assert caught.value.problems[0].place is not None


def test_a_bomb_of_aliases_is_refused() -> None:
    """Aliases that unfold without end are stopped by a limit."""
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(ConfigError, match="too many values"):
        read_yaml("\n".join(layers), file="a.yml")


def test_a_mapping_that_contains_itself_is_refused() -> None:
    """An alias to what encloses it ends at the depth limit, not in a crash."""
    with pytest.raises(ConfigError, match="too many values"):
        read_yaml("a: &a\n  b: *a\n", file="a.yml")


def test_json_is_read() -> None:
    """JSON is YAML."""
    assert read_yaml('{"http": {"routers": {}}}', file="a.json").data == {"http": {"routers": {}}}


def test_an_empty_file_is_an_empty_tree() -> None:
    """A file with nothing but comments holds nothing."""
    assert read_yaml("# nothing\n", file="a.yml").data == {}
