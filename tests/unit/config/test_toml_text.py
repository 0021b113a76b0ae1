"""TOML: tomllib's values with tree-sitter's places."""

from __future__ import annotations

import pytest

from daemun.config.document import Path
from daemun.config.toml_text import read_toml
from daemun.errors import ConfigError

TEXT = """\
# comment
[http.routers.web]
rule = "Host(`a`)"  # why
entryPoints = ["one", "two"]
tls.options = 3

[[http.services.api.loadBalancer.servers]]
url = "http://1"
[[http.services.api.loadBalancer.servers]]
url = "http://2"
inline = { a = 1, "b c" = [1, { d = 2 }] }
["quoted key".x]
"한" = "글"
"""


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("http", "routers", "web"), False, (2, 15)),
        (("http", "routers", "web", "rule"), False, (3, 1)),
        (("http", "routers", "web", "rule"), True, (3, 8)),
        (("http", "routers", "web", "entryPoints", 1), True, (4, 23)),
        (("http", "routers", "web", "tls", "options"), False, (5, 5)),
        (("http", "services", "api", "loadBalancer", "servers", 1, "url"), True, (10, 7)),
        (("http", "services", "api", "loadBalancer", "servers", 1, "inline", "b c", 1, "d"), True, (11, 37)),
        (("quoted key", "x"), False, (12, 15)),
        (("HTTP", "Routers", "WEB", "RULE"), False, (3, 1)),
        (("http", "routers", "web", "nothing"), False, (2, 15)),
    ],
)
def test_places(path: Path, value: bool, place: tuple[int, int]) -> None:  # noqa: FBT001
    """Keys and values are found where they stand; an unknown path leads to its nearest ancestor."""
    found = read_toml(TEXT, file="a.toml").place(path, value=value)
    assert (found.line, found.column) == place


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a = 1\nb = \n", (2, 5), "invalid value"),
        ("a = 1\na = 2\n", (2, 6), "overwrite"),
        ("a = 'x", (1, 7), ""),
    ],
)
def test_syntax_errors_have_a_place(text: str, place: tuple[int, int], word: str) -> None:
    """What tomllib refuses becomes a Problem with line and column."""
    with pytest.raises(ConfigError) as caught:
        read_toml(text, file="a.toml")
    [problem] = caught.value.problems
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == place
    assert word in problem.message


def test_columns_count_characters() -> None:
    """A column after Korean text counts characters, though tree-sitter counts bytes."""
    document = read_toml('x = { "한글" = 1, b = 2 }', file="a.toml")
    assert document.place(("x", "b")).column == 17


def test_go_template_is_named() -> None:
    """A file that does not parse because of {{ gets told that templates come later."""
    with pytest.raises(ConfigError, match="templates"):
        read_toml("{{ range }}\n", file="a.toml")


def test_dates_become_text() -> None:
    """A date is no value of any option: it stays as text."""
    assert read_toml("a = 2020-01-02", file="a").data == {"a": "2020-01-02"}


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "{a=" * 5000 + "1" + "}" * 5000])
def test_deep_nesting_is_refused(text: str) -> None:
    """Nesting without end is a Problem, not a crash."""
    with pytest.raises(ConfigError, match="nested too deeply"):
        read_toml(text, file="a.toml")
