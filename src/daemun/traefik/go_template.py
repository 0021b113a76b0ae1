"""The part of Go's text/template that people write into a rule: pipelines, `if`, `with`, `range`, variables.

    text ── go_template_parse ──► Template ── execute(data) ──► text

Facts (Go's text/template): a pipeline hands its value to the next command as the last argument; what is false is
`false`, 0, nothing and whatever is empty; `{{-` and `-}}` take the blanks beside them away; a function is called by its
name, a value takes no arguments. Decisions: where Go writes `<no value>`, the template fails, for that is no rule;
`define`, `template` and `block` are not read. The functions are in go_template_functions.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from daemun.errors import nearest
from daemun.traefik import go_template_nodes as nodes
from daemun.traefik.go_template_does import FunctionError
from daemun.traefik.go_template_functions import call
from daemun.traefik.go_template_nodes import TemplateError
from daemun.traefik.go_template_parse import parse
from daemun.traefik.go_template_values import MISSING, Missing, Value, is_true, kind_of, printed

__all__ = ["Template", "TemplateError", "check_template", "parse_template"]

# Far more than any rule takes; a range over a range over a long label ends here.
_MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be executed again and again."""

    text: str
    body: tuple[nodes.Node, ...]

    def execute(self, data: Mapping[str, Value], *, environment: Mapping[str, str] | None = None) -> str:
        """Return the text for some data. Raises TemplateError, with its place in the template."""
        run = _Run(template=self.text, root=data, environment=os.environ if environment is None else environment)
        run.body(self.body, data)
        return "".join(run.out)


@lru_cache(maxsize=32)
def parse_template(text: str) -> Template:
    """Read a template. Raises TemplateError at the first thing that cannot be read."""
    return Template(text=text, body=parse(text))


def check_template(text: str) -> str:
    """Return a template's text when it can be read. Raises ValueError, with the byte where it cannot."""
    try:
        parse_template(text)
    except TemplateError as error:
        message = f"in the template, byte {error.offset + 1}: {error.message}"
        raise ValueError(f"{message} ({error.remedy})" if error.remedy else message) from None
    return text


class _Run:
    """One execution: `out` grows, `variables` are those that can be seen."""

    def __init__(self, *, template: str, root: Mapping[str, Value], environment: Mapping[str, str]) -> None:
        self.out: list[str] = []
        self._template = template
        self._root = root
        self._environment = environment
        self._variables: list[tuple[str, Value]] = [("$", root)]
        self._steps = 0

    def body(self, body: Sequence[nodes.Node], dot: Value) -> None:
        """Write the nodes; what they declare is forgotten behind them."""
        seen = len(self._variables)
        for node in body:
            match node:
                case nodes.Text(text):
                    self.out.append(text)
                case nodes.Action(pipeline):
                    value = self._pipeline(pipeline, dot)
                    if not pipeline.variables:
                        self.out.append(self._written(value, pipeline.index))
                case _:
                    inside = len(self._variables)
                    self._control(node, dot)
                    del self._variables[inside:]
        del self._variables[seen:]

    def _control(self, node: nodes.If | nodes.With | nodes.Range, dot: Value) -> None:
        if isinstance(node, nodes.Range):
            self._range(node, dot)
            return
        value = self._pipeline(node.pipeline, dot)
        if not is_true(value):
            self.body(node.otherwise, dot)
        else:
            self.body(node.then, value if isinstance(node, nodes.With) else dot)

    def _range(self, node: nodes.Range, dot: Value) -> None:
        pipeline = node.pipeline
        bare = nodes.Pipeline(pipeline.commands, (), False, pipeline.index)
        value = self._pipeline(bare, dot)
        items: list[tuple[Value, Value]] = []
        if isinstance(value, Mapping):
            items = [(name, value[name]) for name in sorted(value)]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            items = list(enumerate(value))
        elif is_true(value):
            raise self._error(f"range takes a list or a map, not {kind_of(value)}", pipeline.index)
        for key, item in items:
            seen = len(self._variables)
            given = (key, item)[-len(pipeline.variables) :] if pipeline.variables else ()
            for name, one in zip(pipeline.variables, given, strict=True):
                self._set(name, one, declares=pipeline.declares)
            self.body(node.then, item)
            del self._variables[seen:]
        if not items:
            self.body(node.otherwise, dot)

    def _pipeline(self, pipeline: nodes.Pipeline, dot: Value) -> Value:
        value: Value = None
        for number, command in enumerate(pipeline.commands):
            value = self._command(command, dot, (value,) if number else ())
        for name in pipeline.variables:
            self._set(name, value, declares=pipeline.declares)
        return value

    def _set(self, name: str, value: Value, *, declares: bool) -> None:
        if declares:
            self._variables.append((name, value))
            return
        for number in range(len(self._variables) - 1, -1, -1):
            if self._variables[number][0] == name:
                self._variables[number] = (name, value)
                return

    def _command(self, command: nodes.Command, dot: Value, last: tuple[Value, ...]) -> Value:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise self._error("the template takes too long", command.index)
        first, *rest = command.operands
        if not isinstance(first, nodes.Name):
            if rest or last:
                raise self._error("a value takes no arguments: only a function does", first.index)
            return self._operand(first, dot)
        if first.name in {"and", "or"}:
            return self._choice(first, rest, dot, last)
        arguments = [self._operand(operand, dot) for operand in rest]
        try:
            return call(first.name, [*arguments, *last], environment=self._environment)
        except FunctionError as error:
            raise self._error(f"{first.name}: {error}", first.index) from None

    def _choice(
        self, name: nodes.Name, operands: Sequence[nodes.Operand], dot: Value, last: tuple[Value, ...]
    ) -> Value:
        """Return the first argument that decides; those behind it are not looked at."""
        value: Value = None
        for operand in operands:
            value = self._operand(operand, dot)
            if is_true(value) is (name.name == "or"):
                return value
        if last:
            return last[0]
        if not operands:
            raise self._error(f"{name.name} needs an argument", name.index)
        return value

    def _operand(self, operand: nodes.Operand, dot: Value) -> Value:
        if isinstance(operand, nodes.Literal):
            return operand.value
        if isinstance(operand, nodes.Name):
            return self._command(nodes.Command((operand,), operand.index), dot, ())
        value = self._start(operand.start, dot)
        for field in operand.fields:
            value = self._field(value, field, operand.index)
        return value

    def _start(self, start: str | nodes.Pipeline, dot: Value) -> Value:
        if isinstance(start, nodes.Pipeline):
            return self._pipeline(start, dot)
        if start == ".":
            return dot
        return next(value for name, value in reversed(self._variables) if name == start)

    def _field(self, value: Value, field: str, index: int) -> Value:
        if value is self._root:
            if field not in self._root:
                near = nearest(field, self._root)
                known = ", ".join(f".{name}" for name in self._root)
                remedy = f"did you mean .{near}?" if near else f"there are {known}"
                raise self._error(f"there is no field .{field}", index, remedy=remedy)
            return self._root[field]
        if isinstance(value, Mapping):
            return value.get(field, MISSING)
        raise self._error(f".{field} is asked of {kind_of(value)}", index)

    def _written(self, value: Value, index: int) -> str:
        if value is None or isinstance(value, Missing):
            remedy = 'a label is read by index .Labels "name", and default gives what stands for a missing one'
            raise self._error("this has no value", index, remedy=remedy)
        return printed(value)

    def _error(self, message: str, index: int, *, remedy: str = "") -> TemplateError:
        return TemplateError(message, template=self._template, index=index, remedy=remedy)
