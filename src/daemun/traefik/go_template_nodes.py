"""What a template is made of, and how it fails. Made by go_template_parse.py, executed by go_template.py."""

from __future__ import annotations

from dataclasses import dataclass

from daemun.errors import DaemunError


class TemplateError(DaemunError):
    """A template is wrong, or fails on some data, at character `index`; `offset` is the byte, both from 0."""

    def __init__(self, message: str, *, template: str, index: int, remedy: str = "") -> None:
        """Say what is wrong, and what to do about it."""
        super().__init__(message)
        self.message = message
        self.index = index
        self.offset = len(template[:index].encode("utf-8", "surrogatepass"))
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: text, number, true, false or nil."""

    value: str | int | float | bool | None
    index: int


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a function."""

    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of a value: of dot, of a variable (`$x.Name`), or of a pipeline in parentheses."""

    start: str | Pipeline
    fields: tuple[str, ...]
    index: int


Operand = Literal | Name | Chain


@dataclass(frozen=True, slots=True)
class Command:
    """A value, or a function and its arguments."""

    operands: tuple[Operand, ...]
    index: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the value of the one before; `variables` are set by it."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...]
    declares: bool
    index: int


@dataclass(frozen=True, slots=True)
class Text:
    """What stands outside `{{` and `}}`."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is written, unless it sets a variable."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """One of two bodies."""

    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class With:
    """A body whose dot is the pipeline's value, or another one when that is empty."""

    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A body for each item, or another one when there is none."""

    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node = Text | Action | If | With | Range
