"""Documents over each other: what wins, what adds up, and where it stands."""

from __future__ import annotations

import pytest

from daemun.config.document import Document, Tree
from daemun.config.flags import read_flags
from daemun.config.layers import laid_over, spelled_like
from daemun.config.read import read_text
from daemun.config.section import read_section
from daemun.config.variables import read_variables
from tests.kit.carts import Cart

FILE = """
ownerName: file
tags: [a, b]
axles:
  Front:
    lamp: {colour: red, bright: true}
"""


def file(text: str = FILE) -> Document:
    return read_text(text, file="c.yml")


def flags(*words: str) -> Document:
    return read_flags(words, Cart).document


@pytest.mark.parametrize(
    ("words", "tree"),
    [
        (["--ownername=flag"], {"ownerName": "flag"}),
        (["--tags=c"], {"tags": ["c"]}),
        (["--axles.front.lamp.colour=white"], {"axles": {"Front": {"lamp": {"colour": "white", "bright": True}}}}),
        (["--axles.front.lamp=true"], {}),
        (["--axles.front.lamp=false"], {"axles": {"Front": {}}}),
        (
            ["--axles.rear.labels.a=b"],
            {"axles": {"Front": {"lamp": {"colour": "red", "bright": True}}, "rear": {"labels": {"a": "b"}}}},
        ),
        (["--fast"], {"fast": "true"}),
    ],
)
def test_what_wins(words: list[str], tree: dict[str, Tree]) -> None:
    """Tables add up under the lower one's names, values and lists are replaced, what is switched off goes."""
    assert laid_over(file(), flags(*words)).data == {**file().data, **tree}


def test_nothing_over_a_file_is_the_file() -> None:
    """A document over which nothing is laid stays the one it is."""
    low = file()
    assert laid_over(low, flags(), flags()) is low


def test_places() -> None:
    """Each option's place is where it was said last; a section's is where its highest part stands."""
    variables, _ = read_variables({"TRAEFIK_OWNERNAME": "v", "TRAEFIK_AXLES_FRONT_LAMP_BRIGHT": "no"}, Cart)
    laid = laid_over(file(), variables, flags("--ownername=flag", "--roofrack"))
    assert str(laid.place(("ownerName",))) == "--ownername"
    assert str(laid.place(("axles", "Front", "lamp", "bright"), value=True)) == "TRAEFIK_AXLES_FRONT_LAMP_BRIGHT"
    assert str(laid.place(("axles", "Front", "lamp", "colour"), value=True)) == "c.yml:6:20"
    assert str(laid.place(("tags",))) == "c.yml:3:1"
    assert str(laid.place(("fast",))).startswith("c.yml:")
    assert laid.line(("tags",)) == 3
    _, problems = read_section(Cart, laid, path=(), tree=laid.data)
    assert [(problem.kind, str(problem.place)) for problem in problems] == [("not_yet", "--roofrack")]


def test_names_of_variables_take_the_flags_case() -> None:
    """A name that a variable cannot write is the flag's."""
    variables, _ = read_variables({"TRAEFIK_AXLES_FRONT_LAMP": "true"}, Cart)
    high = flags("--axles.Front.labels.a=b")
    assert spelled_like(variables, high).data == {"axles": {"Front": {"lamp": {}}}}
