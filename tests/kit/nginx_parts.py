"""Levels and a Making from a text of nginx's language, for the tests of the parts of its lowering.

`parts(text)` reads the text as the inside of `http`; `at("server", "location /api/")` walks into blocks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.read import read_text
from daemun.nginx.scene import Scene
from daemun.plan.codec import written
from daemun.plan.template import Literal, Template
from daemun.plan.variable import Variable

ORIGIN: Template = (Literal("http://"), Variable.HOST_OR_ADDRESS, Literal(":8080"))


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the parts of lowering take."""

    http: Level
    making: Making = field(default_factory=Making)

    def at(self, *heads: str) -> Level:
        """The level of a block: each head is the directive's words, or the beginning of them."""
        level = self.http
        for head in heads:
            one = next(one for one in level.block if " ".join((one.name, *one.args)).startswith(head))
            level = Level(kind=one.name, directive=one, block=one.block or (), parent=level)
        return level

    @property
    def said(self) -> list[str]:
        """What is wrong, each as `LINE severity kind: message`."""
        return [
            f"{one.place.line if one.place else 0} {one.severity} {one.kind}: {one.message}"
            for one in self.making.problems
        ]


def parts(text: str) -> Parts:
    """Read the text as what stands in `http`, and gather what it declares."""
    read = read_text(text)
    assert read.problems == ()
    made = Parts(http=Level(kind="http", directive=None, block=read.directives))
    made.making.declare(read.directives)
    return made


def scene(name: str = "/", *, path: str = "/", exact: bool = False, captures: int | None = None) -> Scene:
    """A location of a server that listens on 8080 and whose table is `main`."""
    return Scene(name=name, table="main", origin=ORIGIN, path=path, exact=exact, captures=captures)


def tree(kind: object, value: object) -> object:
    """A value of the Plan as its JSON would be read."""
    return json.loads(written(kind, value))
