"""A tree to typed values: pydantic models with option names, unknown names and places around them.

`read_section` first folds names (any case becomes the model's), sets aside what the model declares as
`not_yet`, reports unknown names with the nearest known one, then lets pydantic check the values and puts
every complaint at its place. It never raises for content: it returns all Problems at once.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from daemun.config.document import Document, Path, Tree
from daemun.config.shape import Child, shape_of
from daemun.errors import Problem, nearest

M = TypeVar("M", bound="Section")
_QUOTED = re.compile(r"'([^']*)'")
_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table of names",
    "model_type": "a table of options",
    "model_attributes_type": "a table of options",
}
_LIMITS = {"greater_than_equal": "at least", "less_than_equal": "at most"}


class Section(BaseModel):
    """A table of options. Options known to the language but not served yet are named in `not_yet`.

    `not_yet_means` says what follows from one of them (`*`: from any), `elsewhere` where a name belongs that
    people write here. `pending` tells which were written, so that lowering can refuse to half-serve something.
    Fields with `exclude=True` are for the reader of the file, not options.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        coerce_numbers_to_str=True,
    )
    not_yet: ClassVar[tuple[str, ...]] = ()
    not_yet_means: ClassVar[dict[str, str]] = {}
    elsewhere: ClassVar[dict[str, str]] = {}
    pending: tuple[str, ...] = ()


def split_names(value: object) -> object:
    """Accept one text where a list is meant, split at commas as Traefik does."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def fold_case(value: object) -> object:
    """Compare a choice without its case."""
    return value.strip().lower() if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(split_names)]


def read_section(model: type[M], document: Document, *, path: Path, tree: Tree) -> tuple[M | None, list[Problem]]:
    """Return the typed section at `path`, or None when it holds an error, and every Problem."""
    problems: list[Problem] = []
    folded = _fold(model, tree, document, path, problems)
    value: M | None = None
    try:
        value = model.model_validate(folded)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            here = (*path, *detail["loc"])
            context = detail.get("ctx", {})
            if detail["type"] == "missing" and _sibling_of_any(here, problems):
                continue
            problems.append(
                _value_problem(
                    document,
                    here,
                    kind=detail["type"],
                    text=detail["msg"],
                    given=detail["input"],
                    choices=_QUOTED.findall(str(context.get("expected", ""))),
                    limit=str(context.get("ge", context.get("le", ""))),
                )
            )
    if any(problem.is_error for problem in problems):
        return None, problems
    return value, problems


def subject(path: Path) -> str:
    """Return a path as people write it: `http.routers.web.rule`, `servers[0].url`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def not_yet_problem(document: Document, path: Path, *, remedy: str = "") -> Problem:
    """Say that a known option is not served by this version."""
    return Problem(
        severity="warning",
        kind="not_yet",
        message=f"not yet: {path[-1]} comes later",
        place=document.place(path),
        subject=subject(path),
        found=str(path[-1]),
        remedy=remedy,
    )


def unknown_problem(document: Document, path: Path, *, known: list[str], remedy: str = "") -> Problem:
    """Say that a name is not known, with the nearest one that is."""
    name = str(path[-1])
    above = subject(path[:-1])
    return Problem(
        severity="error",
        kind="unknown" if not remedy else "placement",
        message=f"{name!r} does not belong here"
        if remedy
        else f"unknown option {name!r}{f' in {above}' if above else ''}",
        place=document.place(path),
        subject=subject(path),
        found=name,
        remedy=remedy,
        suggestion="" if remedy else nearest(name, known),
    )


def empty_problem(document: Document, path: Path) -> Problem:
    """Say that an option without a value means nothing (as in Traefik), and how to switch it on."""
    return Problem(
        severity="warning",
        kind="empty",
        message=f"{subject(path)} has no value and is ignored",
        place=document.place(path),
        subject=subject(path),
        remedy=f"write {path[-1]}: {{}} to switch it on with its defaults, or remove the line",
    )


def _fold(model: type[Section], tree: Tree, document: Document, path: Path, problems: list[Problem]) -> Tree:
    """Return the tree with the model's own names; what has no place in the model is reported and left out."""
    if not isinstance(tree, dict):
        return tree
    shape = shape_of(model)
    folded: dict[str, Tree] = {}
    pending: list[Tree] = []
    seen: dict[str, str] = {}
    for written, value in tree.items():
        lower = written.lower()
        here = (*path, written)
        if lower in seen:
            problems.append(_twice(document, here, (*path, seen[lower])))
            continue
        seen[lower] = written
        known = shape.names.get(lower)
        if known is not None:
            alias, child = known
            if value is None:
                problems.append(empty_problem(document, here))
                continue
            folded[alias] = value if child.model is None else _fold_child(child, value, document, here, problems)
        elif lower in shape.not_yet:
            pending.append(shape.not_yet[lower])
            means = model.not_yet_means.get(shape.not_yet[lower]) or model.not_yet_means.get("*", "")
            problems.append(not_yet_problem(document, here, remedy=means))
        else:
            remedy = shape.elsewhere.get(lower, "")
            problems.append(unknown_problem(document, here, known=shape.known(), remedy=remedy))
    if pending:
        folded["pending"] = pending
    return folded


def _fold_child(child: Child, value: Tree, document: Document, path: Path, problems: list[Problem]) -> Tree:
    model = child.model
    if model is None:
        return value
    if child.kind == "map" and isinstance(value, dict):
        return {
            name: _fold(model, item, document, (*path, name), problems)
            for name, item in value.items()
            if item is not None
        }
    if child.kind == "list" and isinstance(value, list):
        return [_fold(model, item, document, (*path, index), problems) for index, item in enumerate(value)]
    return _fold(model, value, document, path, problems)


def _sibling_of_any(path: Path, problems: list[Problem]) -> bool:
    """Tell whether the missing option was already found misspelt in the same section."""
    above, name = subject(path[:-1]).lower(), path[-1]
    return any(
        problem.suggestion == name and problem.subject.lower().rpartition(".")[0] == above for problem in problems
    )


def _twice(document: Document, path: Path, first: Path) -> Problem:
    return Problem(
        severity="error",
        kind="duplicate",
        message=f"{subject(path)} stands here twice (the case of names does not matter)",
        place=document.place(path),
        subject=subject(path),
        related=(document.place(first),),
    )


def _value_problem(
    document: Document, path: Path, *, kind: str, text: str, given: object, choices: list[str], limit: str
) -> Problem:
    name = subject(path)
    found = _shown(given)
    suggestion = ""
    if kind == "missing":
        message = f"{name} is missing"
        found = ""
    elif kind == "literal_error":
        message = f"{name} cannot be {found}: expected {_or(choices)}"
        suggestion = nearest(str(given), choices)
    elif kind in _LIMITS:
        message = f"{name} cannot be {found}: expected {_LIMITS[kind]} {limit}"
    elif kind in _EXPECTED:
        message = f"{name} cannot be {found}: expected {_EXPECTED[kind]}"
    else:
        message = f"{name}: {text.removeprefix('Value error, ')}"
    return Problem(
        severity="error",
        kind="missing" if kind == "missing" else "value",
        message=message,
        place=document.place(path, value=kind != "missing"),
        subject=name,
        found=found,
        suggestion=suggestion,
    )


def _shown(given: object) -> str:
    if isinstance(given, dict):
        return "a table"
    if isinstance(given, list | tuple):
        return "a list"
    if isinstance(given, bool):
        return str(given).lower()
    text = repr(given)
    longest = 60
    return text if len(text) <= longest else f"{text[:longest]}…"


def _or(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
