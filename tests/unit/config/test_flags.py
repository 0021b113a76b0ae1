"""Flags to a tree: their forms, their values, their mistakes, each with the flag as its place."""

from __future__ import annotations

import random

import pytest

from daemun.config.document import Tree
from daemun.config.flags import read_flags
from daemun.config.section import read_section
from daemun.errors import Problem
from tests.kit.carts import Cart


def read(*words: str) -> tuple[dict[str, Tree], list[Problem]]:
    flags = read_flags(words, Cart, own=("--threads",))
    return flags.document.data, list(flags.problems)


@pytest.mark.parametrize(
    ("words", "tree"),
    [
        (["--ownerName=x"], {"ownerName": "x"}),
        (["--ownername", "x"], {"ownerName": "x"}),
        (["-OWNERNAME=x=y"], {"ownerName": "x=y"}),
        (["--ownername="], {"ownerName": ""}),
        (["--loadlimit", "-3"], {"loadLimit": "-3"}),
        (["--ownername=x", "--ownerName=y"], {"ownerName": "y"}),
        (["--fast"], {"fast": "true"}),
        (["--fast", "false", "--ownername=x"], {"fast": "false", "ownerName": "x"}),
        (["--fast", "--ownername=x"], {"fast": "true", "ownerName": "x"}),
        (["--tags=a, b,"], {"tags": ["a", "b"]}),
        (["--tags=a", "--TAGS=b,c"], {"tags": ["a", "b", "c"]}),
        (["--tags="], {"tags": []}),
        (["--tags[1]=b", "--tags[0]=a"], {"tags": ["a", "b"]}),
        (["--tags=a", "--tags[0]=x", "--tags[1]=y"], {"tags": ["x", "y"]}),
        (["--lamp"], {"lamp": {}}),
        (["--lamp=TRUE"], {"lamp": {}}),
        (["--lamp=false"], {"lamp": None}),
        (["--lamp.colour=red", "--lamp=true"], {"lamp": {"colour": "red"}}),
        (["--lamp=false", "--lamp.colour=red"], {"lamp": None}),
        (["--lamp=false", "--lamp.colour=red", "--LAMP"], {"lamp": {"colour": "red"}}),
        (["--lamp", "--lamp=false"], {"lamp": None}),
        (["--axles.Front.lamp"], {"axles": {"Front": {"lamp": {}}}}),
        (
            ["--axles.Front.lamp", "--axles.front.labels.a.b=c"],
            {"axles": {"Front": {"lamp": {}, "labels": {"a.b": "c"}}}},
        ),
        (["--axles.x=true"], {"axles": {"x": {}}}),
        (
            ["--axles.x.wheels[10].size=2", "--axles.x.wheels[2].size=1", "--axles.x.wheels[2].spokes=a,b"],
            {"axles": {"x": {"wheels": [{"size": "1", "spokes": ["a", "b"]}, {"size": "2"}]}}},
        ),
        (["--axles.x.wheels.0.size=2"], {"axles": {"x": {"wheels": [{"size": "2"}]}}}),
        (["--roofrack.size=3", "--roofrack"], {"roofRack": True}),
        (["--roofrack=false"], {"roofRack": None}),
        (["--horse.name=x"], {"horse": True}),
    ],
)
def test_forms(words: list[str], tree: dict[str, Tree]) -> None:
    """A flag's value stands after `=` or is the next word; names have no case; lists add up; sections are switched."""
    assert read(*words) == (tree, [])


@pytest.mark.parametrize(
    ("word", "message", "suggestion"),
    [
        ("--owner.name=x", "unknown flag --owner.name", "--ownerName.name"),
        ("--ownrname=x", "unknown flag --ownrname", "--ownerName"),
        ("--thread=3", "unknown flag --thread", "--threads"),
        ("--zzz", "unknown flag --zzz", ""),
        ("--axle.x.lamp", "unknown flag --axle.x.lamp", "--axles.x.lamp"),
        ("--axles.x.lammp.colour=red", "unknown flag: --axles.x has no 'lammp'", "--axles.x.lamp.colour"),
        ("--axles.x.wheels[0].sizes=1", "unknown flag: --axles.x.wheels[0] has no 'sizes'", "--axles.x.wheels[0].size"),
        ("--fast.more=1", "unknown flag: --fast has no 'more'", ""),
        ("--lamp=yellow", "--lamp cannot be 'yellow': expected true or false", ""),
        ("--axles=x", "--axles takes no value of its own", ""),
        ("--axles.x.wheels=3", "--axles.x.wheels takes no value of its own", ""),
        ("--axles.x.wheels.left.size=3", "wheels is a list", ""),
        ("--axles.x.labels=3", "--axles.x.labels needs a name", ""),
        ("--axles..lamp", "a part of this name is empty", ""),
        ("--ownername", "--ownername needs a value", ""),
    ],
)
def test_mistakes(word: str, message: str, suggestion: str) -> None:
    """Each is an error at its flag, with the whole flag it was meant to be."""
    _, [problem] = read(word)
    assert problem.is_error
    assert problem.message == message
    assert problem.suggestion == suggestion
    assert problem.place is not None
    assert str(problem.place) == word.partition("=")[0]


def test_whatever_is_typed() -> None:
    """Any words give a tree and problems, never an exception; what was wrong with a name is at a flag."""
    steps = ["axles", "x", "wheels", "wheels[0]", "wheels[7]", "[1]", "0", "lamp", "colour", "tags", "tags[1]"]
    steps += ["labels", "fast", "roofRack", "horse", "", "]", "[", "[x]", "a[0]b", "size", "spokes[3]"]
    chance = random.Random(6)  # noqa: S311 - it is to be the same each time
    for _ in range(3000):
        names = [".".join(chance.choices(steps, k=chance.randint(1, 5))) for _ in range(chance.randint(1, 5))]
        forms = ["--{}", "--{}=true", "--{}=false", "--{}=a,b", "-{}=3", "{}", "--{}="]
        words = [chance.choice(forms).format(name) for name in names]
        flags = read_flags(words, Cart)
        read_section(Cart, flags.document, path=(), tree=flags.document.data)
        assert all(problem.place is not None and problem.place.file.startswith("-") for problem in flags.problems), (
            words
        )


def test_a_flag_is_not_the_value_of_another() -> None:
    """A value that is missing does not swallow the flag after it."""
    tree, [problem] = read("--ownername", "--fast")
    assert tree == {"fast": "true"}
    assert problem.kind == "missing"


def test_what_no_flag_took() -> None:
    """Words beside the flags are handed back, and everything after `--`; those of flags come with their values."""
    flags = read_flags(["a.toml", "--lamp", "b.toml", "--ownername", "x", "c", "--", "--fast"], Cart)
    assert flags.rest == ("a.toml", "b.toml", "c", "--fast")
    assert flags.words == ("--lamp=true", "--ownername=x")


def test_places() -> None:
    """An option's place is the flag that says it, a section's the first flag below it, a missing one's the nearest."""
    flags = read_flags(["--axles.x.lamp=true", "--axles.x.lamp.colour=blue", "--ownername=1", "--ownername=2"], Cart)
    place = flags.document.place
    assert str(place(("axles", "x", "lamp", "colour"), value=True)) == "--axles.x.lamp.colour"
    assert str(place(("axles",))) == "--axles.x.lamp"
    assert str(place(("axles", "x", "wheels"))) == "--axles.x.lamp"
    assert str(place(("ownerName",))) == "--ownername"
