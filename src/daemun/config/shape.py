"""What a section's options are called and of which kind they are: read off the model once, asked for every name.

section.py folds a file's tree with it; settings.py finds its way from the dotted name of a flag or a variable with it.
It knows names and kinds only: whether a value is right is pydantic's business.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from daemun.config.section import Section

# One value, true or false, several values, values by name; one section, sections by name, several sections.
Kind = Literal["value", "switch", "values", "table", "section", "map", "list"]


@dataclass(frozen=True, slots=True)
class Child:
    """What an option holds; `model` is the section's, for the last three kinds."""

    kind: Kind
    model: type[Section] | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """The names of a section by their lower case: options, what is not served yet, what belongs elsewhere."""

    names: dict[str, tuple[str, Child]]
    not_yet: dict[str, str]
    elsewhere: dict[str, str]

    def known(self) -> list[str]:
        """Return every name that may stand here."""
        return [*(alias for alias, _ in self.names.values()), *self.not_yet.values()]


@cache
def shape_of(model: type[Section]) -> Shape:
    """Return the shape of a model."""
    names: dict[str, tuple[str, Child]] = {}
    for name, field in model.model_fields.items():
        if name != "pending" and not field.exclude:
            alias = field.alias or name
            names[alias.lower()] = (alias, _child(field.annotation))
    not_yet = {name.lower(): name for name in model.not_yet}
    elsewhere = {name.lower(): remedy for name, remedy in model.elsewhere.items()}
    return Shape(names=names, not_yet=not_yet, elsewhere=elsewhere)


def _child(annotation: object) -> Child:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _child(arguments[0])
    if origin in {Union, types.UnionType}:
        found = [_child(argument) for argument in arguments if argument is not type(None)]
        return found[0] if len(found) == 1 else Child("value")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        # A section holds no other models than sections.
        return Child("section", annotation)  # type: ignore[arg-type]
    if annotation is bool:
        return Child("switch")
    if origin is dict:
        below = _child(arguments[1])
        return Child("map", below.model) if below.kind == "section" else Child("table")
    if origin in {tuple, list}:
        below = _child(arguments[0])
        return Child("list", below.model) if below.kind == "section" else Child("values")
    return Child("value")
