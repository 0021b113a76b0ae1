"""Options given one by one under dotted names (flags, variables) to a Document, led by the model.

    [Setting("--entrypoints.web.address", ("entrypoints", "web", "address"), ":80"), …] ──► Document

Facts (Traefik's paerser): names have no case; a section is switched on by itself (`--ping`, `=true`) and off by
`false`, whatever else is said of it; a list is one text with commas, or indexed (`domains[0].main`, `domains.0.main`);
what comes after the name of a table is one name. Decisions: indexes only order; a value that is neither true nor false
switches nothing and is an error. Values stay texts: section.py checks them. An option's place is its flag or variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daemun.config.document import Document, Spot, Tree
from daemun.config.shape import Child, Kind, shape_of
from daemun.errors import Place, Problem, nearest

if TYPE_CHECKING:
    from daemun.config.section import Section

_TRUE = frozenset({"", "true", "t", "1"})
_FALSE = frozenset({"false", "f", "0"})
_INDEX = re.compile(r"\[(\d+)\]|(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """An option: what it is called where it stands, the way to it, and its value."""

    name: str
    steps: tuple[str, ...]
    value: str
    # `--a.b` or `PREFIX_A_B`.
    prefix: str = "--"
    # Whether a list that is given again grows, or is another one.
    adds: bool = True

    @property
    def is_flag(self) -> bool:
        """Whether it is a flag; a variable otherwise."""
        return self.prefix == "--"

    @property
    def place(self) -> Place:
        """The flag or the variable."""
        return Place(file=self.name)

    def spelled(self, steps: Sequence[str]) -> str:
        """Return what an option would be called there."""
        if self.is_flag:
            return self.prefix + ".".join(steps).replace(".[", "[")
        return self.prefix + "_".join(steps).upper()


def steps_of(name: str, *, separator: str) -> tuple[str, ...]:
    """Return the steps of a dotted name; an index is one of its own. Empty steps are kept: they are wrong."""
    steps: list[str] = []
    for part in name.split(separator):
        head, bracket, index = part.partition("[")
        steps.extend((head, bracket + index) if bracket and head else (part,))
    return tuple(steps)


def kind_at(model: type[Section], steps: Sequence[str]) -> Kind | None:
    """Return what is at the end of the steps; None when the model does not know them."""
    child = Child("section", model)
    while steps:
        if child.kind == "table":
            return "value"
        if child.kind in {"map", "list"} and child.model is not None:
            child, steps = Child("section", child.model), steps[1:]
            continue
        if child.kind == "values":
            return "value"
        known = None if child.model is None else shape_of(child.model).names.get(steps[0].lower())
        if known is None:
            return None
        child, steps = known[1], steps[1:]
    return child.kind


def document_of(settings: Iterable[Setting], model: type[Section], *, file: str) -> tuple[Document, list[Problem]]:
    """Return the tree of the settings and what is wrong with their names; `file` is what they are together."""
    given = tuple(settings)
    builder = _Builder(given)
    for line, setting in enumerate(given):
        builder.put(setting, line, model)
    document = Document(
        file=file,
        text="",
        data=builder.tree,
        spots=lambda: builder.root,
        sources=tuple(setting.name for setting in given),
    )
    return document, builder.problems


def unknown_setting(setting: Setting, depth: int, known: Iterable[str], *, remedy: str = "") -> Problem:
    """Say that the name is wrong at this depth, and what it would be with the nearest known one."""
    steps = setting.steps
    near = nearest(steps[depth], known)
    what = "flag" if setting.is_flag else "variable"
    above = setting.spelled(steps[:depth]) if depth else ""
    return Problem(
        severity="error",
        kind="unknown",
        message=f"unknown {what}: {above} has no {steps[depth]!r}" if depth else f"unknown {what} {setting.name}",
        place=setting.place,
        subject=".".join(steps),
        found=steps[depth],
        suggestion=setting.spelled((*steps[:depth], near, *steps[depth + 1 :])) if near else "",
        remedy=remedy,
    )


def wrong_setting(setting: Setting, message: str, *, kind: str = "value", remedy: str = "") -> Problem:
    """Say that what is given is wrong."""
    subject = ".".join(setting.steps)
    return Problem(severity="error", kind=kind, message=message, place=setting.place, subject=subject, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """How far a setting is on its way: its number, its depth, and whether it went by a name of the user's."""

    setting: Setting
    line: int
    depth: int = 0
    named: bool = False

    @property
    def rest(self) -> tuple[str, ...]:
        return self.setting.steps[self.depth :]

    def deeper(self, *, named: bool = False) -> _At:
        return replace(self, depth=self.depth + 1, named=self.named or named)


class _Builder:
    def __init__(self, settings: Sequence[Setting]) -> None:
        self.tree: dict[str, Tree] = {}
        self.root = Spot(line=0, column=0)
        self.problems: list[Problem] = []
        self._rows: dict[tuple[str, ...], set[int]] = {}
        # Of a section that is switched several times the last counts, wherever its options stand.
        self._last = {_folded(setting.steps): line for line, setting in enumerate(settings)}
        for setting in settings:
            for depth, step in enumerate(setting.steps):
                if (index := _index(step)) is not None:
                    self._rows.setdefault(_folded(setting.steps[:depth]), set()).add(index)

    def put(self, setting: Setting, line: int, model: type[Section]) -> None:
        if not all(setting.steps):
            self.problems.append(wrong_setting(setting, "a part of this name is empty", kind="syntax"))
            return
        self._section(model, self.tree, self.root, _At(setting=setting, line=line))

    def _section(self, model: type[Section], tree: dict[str, Tree], spot: Spot, at: _At) -> None:
        step = at.rest[0]
        shape = shape_of(model)
        known = shape.names.get(step.lower())
        if known is not None:
            alias, child = known
            self._child(child, tree, alias, _below(spot, alias, at.line), at.deeper())
        elif (later := shape.not_yet.get(step.lower())) or step.lower() in shape.elsewhere:
            # What section.py says of it is all there is to say; only that it is there counts, or not.
            _below(spot, later or step, at.line)
            off = len(at.rest) == 1 and at.setting.value.lower() in _FALSE
            tree[later or step] = None if off else True
        else:
            remedy = "a name in a variable has no underscore: use a flag or the file" if at.named else ""
            remedy = "" if at.setting.is_flag else remedy
            self.problems.append(unknown_setting(at.setting, at.depth, shape.known(), remedy=remedy))

    def _child(self, child: Child, tree: dict[str, Tree], key: str, spot: Spot, at: _At) -> None:
        if child.kind in {"section", "map", "list"} and child.model is not None:
            if not at.rest:
                self._switch(child, tree, key, spot, at)
            elif child.kind == "section":
                self._into(child.model, tree, key, spot, at)
            elif child.kind == "map":
                self._named(child.model, _table(tree, key), spot, at)
            else:
                self._item(child.model, tree, key, spot, at)
        elif child.kind == "table":
            self._entry(tree, key, spot, at)
        elif at.rest and not (child.kind == "values" and len(at.rest) == 1 and _index(at.rest[0]) is not None):
            self.problems.append(unknown_setting(at.setting, at.depth, ()))
        else:
            self._value(child, tree, key, spot, at)

    def _switch(self, child: Child, tree: dict[str, Tree], key: str, spot: Spot, at: _At) -> None:
        """Switch a section on or off, which nothing said of its options changes."""
        value = at.setting.value.lower()
        name = at.setting.name
        if child.kind != "section":
            message = f"{name} takes no value of its own"
            one = "[0]" if child.kind == "list" else "NAME"
            remedy = f"write {at.setting.spelled((*at.setting.steps, one, 'OPTION'))}"
            self.problems.append(wrong_setting(at.setting, message, remedy=remedy))
        elif self._last[_folded(at.setting.steps)] != at.line:
            return
        elif value in _TRUE:
            tree.setdefault(key, {})
        elif value in _FALSE:
            tree[key] = None
            spot.at_key(line=at.line, column=0, width=1)
        else:
            message = f"{name} cannot be {at.setting.value!r}: expected true or false"
            options = shape_of(child.model).known()[:1] if child.model is not None else []
            such = "".join(f", such as {at.setting.spelled((*at.setting.steps, option))}" for option in options)
            remedy = f"its options have names of their own{such}"
            self.problems.append(wrong_setting(at.setting, message, remedy=remedy))

    def _into(self, model: type[Section], tree: dict[str, Tree], key: str, spot: Spot, at: _At) -> None:
        below = tree.setdefault(key, {})
        if isinstance(below, dict):  # None: switched off
            self._section(model, below, spot, at)

    def _named(self, model: type[Section], table: dict[str, Tree], spot: Spot, at: _At) -> None:
        name = next((one for one in table if one.lower() == at.rest[0].lower()), at.rest[0])
        below, further = _below(spot, name, at.line), at.deeper(named=True)
        if further.rest:
            self._into(model, table, name, below, further)
        else:
            self._switch(Child("section", model), table, name, below, further)

    def _item(self, model: type[Section], tree: dict[str, Tree], key: str, spot: Spot, at: _At) -> None:
        position, rows = self._position(at)
        if position is None or len(at.rest) == 1:
            remedy = f"write {at.setting.spelled((*at.setting.steps[: at.depth], '[0]', 'OPTION'))}"
            self.problems.append(wrong_setting(at.setting, f"{key} is a list", remedy=remedy))
            return
        items = tree.setdefault(key, [{} for _ in range(rows)])
        item = items[position] if isinstance(items, list) else None
        if isinstance(item, dict):
            self._section(model, item, _below(spot, position, at.line), at.deeper())

    def _entry(self, tree: dict[str, Tree], key: str, spot: Spot, at: _At) -> None:
        if not at.rest:
            remedy = f"write {at.setting.spelled((*at.setting.steps, 'NAME'))}"
            self.problems.append(wrong_setting(at.setting, f"{at.setting.name} needs a name", remedy=remedy))
            return
        name = ".".join(at.rest)
        _table(tree, key)[name] = at.setting.value
        _below(spot, name, at.line)

    def _value(self, child: Child, tree: dict[str, Tree], key: str, spot: Spot, at: _At) -> None:
        value = at.setting.value
        before = tree.get(key)
        if child.kind != "values":
            tree[key] = value
        elif at.rest:
            position, rows = self._position(at)
            items: list[Tree] = list(before) if isinstance(before, list) else []
            items.extend([None] * (rows - len(items)))
            items[position or 0] = value
            tree[key] = items
            _below(spot, position or 0, at.line)
        else:
            parts: list[Tree] = [part.strip() for part in value.split(",") if part.strip()]
            tree[key] = [*before, *parts] if isinstance(before, list) and at.setting.adds else parts
        spot.at_key(line=at.line, column=0, width=1)
        spot.line = at.line

    def _position(self, at: _At) -> tuple[int | None, int]:
        """Return where an indexed item stands, and how many there are: indexes only order."""
        index = _index(at.rest[0])
        rows = sorted(self._rows.get(_folded(at.setting.steps[: at.depth]), ()))
        return (None if index is None else rows.index(index)), len(rows)


def _index(step: str) -> int | None:
    found = _INDEX.fullmatch(step)
    return None if found is None else int(found[1] or found[2])


def _folded(steps: Sequence[str]) -> tuple[str, ...]:
    return tuple(step.lower() for step in steps)


def _table(tree: dict[str, Tree], key: str) -> dict[str, Tree]:
    table = tree.setdefault(key, {})
    return table if isinstance(table, dict) else {}


def _below(spot: Spot, step: str | int, line: int) -> Spot:
    if spot.children is None:
        spot.children = {}
    return spot.children.setdefault(step, Spot(line=line, column=0))
