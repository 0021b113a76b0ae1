"""Directives against the catalogue: everything unknown, misplaced or wrongly written, at once.

Messages begin with nginx's own words, so that what people know how to search for is found. What a value means is not
judged here, but that a flag is `on` or `off`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from daemun.errors import Problem, nearest
from daemun.nginx.catalogue import CONTEXTS, Shape, catalogue, family_of, is_worth_a_word
from daemun.nginx.directive import Directive

# The context inside a block, by the directive that opens it and the context it stands in.
_INSIDE = {
    ("http", "M"): "H",
    ("events", "M"): "E",
    ("server", "H"): "S",
    ("upstream", "H"): "U",
    ("location", "S"): "L",
    ("location", "L"): "L",
    ("if", "S"): "I",
    ("if", "L"): "J",
    ("limit_except", "L"): "X",
}
# Their blocks hold entries, not directives.
_ENTRIES = frozenset({"map", "geo", "split_clients", "types", "charset_map"})


def judge(directives: Sequence[Directive], *, fragment: bool) -> tuple[tuple[Directive, ...], list[Problem]]:
    """Return the directives that are rightly written, and every problem of the others; a fragment stands in `http`.

    What is lowered afterwards need not ask again how many arguments there are.
    """
    judging = _Judging()
    kept = judging.block(directives, "H" if fragment else "M")
    return kept, judging.problems


def idle(directives: Sequence[Directive], *, fragment: bool) -> list[Problem]:
    """Return a note for each directive that is accepted and has no effect here; a fragment stands in `http`."""
    return _idle(directives, "H" if fragment else "M")


def _idle(directives: Sequence[Directive], context: str) -> list[Problem]:
    known = catalogue()
    found: list[Problem] = []
    for one in directives:
        shape = next((some for some in known.get(one.name, ()) if context in some.contexts), None)
        if shape is not None and shape.verdict != "idle":
            shape = None
        silent = shape is None and one.name not in known and not is_worth_a_word(one.name)
        remark = shape.remark if shape is not None else family_of(one.name) if silent else None
        if remark is not None:
            message = f'"{one.name}" has no effect here'
            found.append(_problem(one, message, kind="idle", severity="info", remedy=remark))
        if one.block is not None and one.name not in _ENTRIES:
            found.extend(_idle(one.block, _INSIDE.get((one.name, context), "?")))
    return found


@dataclass(slots=True)
class _Judging:
    problems: list[Problem] = field(default_factory=list)
    known: Mapping[str, tuple[Shape, ...]] = field(default_factory=catalogue)
    # The shape of each directive in each context, for there are few and they are asked for often.
    _shapes: dict[tuple[str, str], Shape] = field(default_factory=dict)

    def block(self, directives: Sequence[Directive], context: str) -> tuple[Directive, ...]:
        """Judge what stands in a block; return what is rightly written."""
        kept: list[Directive] = []
        seen: dict[str, Directive] = {}
        changed = False
        for one in directives:
            shape = self._shape(one, context)
            if shape is None or shape.verdict == "no":
                changed = True
                continue
            if shape.verdict == "yes" and not shape.repeats:
                first = seen.setdefault(one.name, one)
                if first is not one:
                    message = f'"{one.name}" directive is duplicate'
                    remedy = "leave one of them out"
                    self.problems.append(_problem(one, message, kind="duplicate", related=first, remedy=remedy))
                    changed = True
                    continue
            if one.block is not None and one.name not in _ENTRIES:
                inner = self.block(one.block, _INSIDE[one.name, context])
                if inner is not one.block:
                    changed = True
                    kept.append(replace(one, block=inner))
                    continue
            kept.append(one)
        return tuple(kept) if changed or not isinstance(directives, tuple) else directives

    def _shape(self, one: Directive, context: str) -> Shape | None:
        """Return the shape a directive has; None when it is wrong, which is noted."""
        shape = self._shapes.get((one.name, context))
        if shape is None:
            shapes = self.known.get(one.name)
            if shapes is None:
                self._unknown(one)
                return None
            shape = next((some for some in shapes if context in some.contexts), None)
            if shape is None:
                self.problems.append(_misplaced(one, shapes))
                return None
            self._shapes[one.name, context] = shape
        if shape.verdict == "no":
            if not (one.args and one.args[0] in shape.harmless):
                message = f'"{one.name}" is not supported'
                self.problems.append(_problem(one, message, kind="not_yet", remedy=shape.remark))
            return shape
        wrong = _written(one, shape)
        if wrong is None:
            return shape
        swallowed = next((index for index, word in enumerate(one.args) if index and word in self.known), 0)
        if swallowed and not shape.flag:
            wrong = replace(wrong, remedy=f"a ; is missing after {one.args[swallowed - 1]}")
            inside = _INSIDE.get((one.args[swallowed], context))
            if one.block is not None and inside is not None:
                self.block(one.block, inside)
        self.problems.append(wrong)
        return None

    def _unknown(self, one: Directive) -> None:
        remedy = family_of(one.name)
        if remedy is None:
            suggestion = nearest(one.name, self.known)
            message = f'unknown directive "{one.name}"'
            self.problems.append(_problem(one, message, kind="unknown", suggestion=suggestion))
        elif is_worth_a_word(one.name):
            self.problems.append(_problem(one, f'"{one.name}" is not supported', kind="not_yet", remedy=remedy))


def _misplaced(one: Directive, shapes: tuple[Shape, ...]) -> Problem:
    letters = dict.fromkeys(letter for shape in shapes for letter in shape.contexts)
    remedy = f"it stands in: {', '.join(CONTEXTS[letter] for letter in letters)}"
    return _problem(one, f'"{one.name}" directive is not allowed here', kind="placement", remedy=remedy)


def _written(one: Directive, shape: Shape) -> Problem | None:
    """Return what is wrong with how a directive is written."""
    count = len(one.args)
    if shape.block and one.block is None:
        return _problem(
            one, f'directive "{one.name}" has no opening "{{"', kind="syntax", remedy="a block in braces belongs to it"
        )
    if not shape.block and one.block is not None:
        remedy = f"end it with ; after {one.args[-1] if one.args else one.name}"
        return _problem(one, f'directive "{one.name}" is not terminated by ";"', kind="syntax", remedy=remedy)
    if count < shape.least or (shape.most is not None and count > shape.most):
        remedy = f"it takes {_counted(shape)}, here are {count}"
        if count > 1 and shape.most is not None and count > shape.most:
            remedy += "; is a ; missing before the next line?"
        return _problem(one, f'invalid number of arguments in "{one.name}" directive', kind="value", remedy=remedy)
    if shape.flag and one.args[0].lower() not in {"on", "off"}:
        message = f'invalid value "{one.args[0]}" in "{one.name}" directive, it must be "on" or "off"'
        return _problem(one, message, kind="value", argument=0, remedy=f"{one.name} on; or {one.name} off;")
    return None


def _counted(shape: Shape) -> str:
    if shape.most is None:
        return f"{shape.least} or more"
    return str(shape.least) if shape.least == shape.most else f"{shape.least} to {shape.most}"


def _problem(  # noqa: PLR0913 - a part of a problem each
    one: Directive,
    message: str,
    *,
    kind: str,
    severity: str = "error",
    remedy: str = "",
    suggestion: str = "",
    argument: int | None = None,
    related: Directive | None = None,
) -> Problem:
    return Problem(
        severity="info" if severity == "info" else "error",
        kind=kind,
        message=message,
        place=one.place if argument is None else one.places[argument],
        subject=one.name,
        found="" if argument is None else one.args[argument],
        remedy=remedy,
        suggestion=suggestion,
        related=() if related is None else (related.place,),
    )
