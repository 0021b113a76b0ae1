"""YAML text to a Document: PyYAML's C loader composes, we build values and places in one pass.

Scalars follow what people of Go expect: only `true` and `false` are booleans (`yes`, `on` stay text),
`1:30` and dates stay text. Two equal keys in one mapping are an error, `<<` merges, aliases work within
a size limit. JSON is read by the same door. Nothing here knows an option.
"""

from __future__ import annotations

from typing import cast

import yaml

from daemun.config.document import Document, Spot, Tree
from daemun.errors import ConfigError, Place, Problem

# Aliases can make a small text unfold without end; no honest configuration has as many nodes.
_MOST_NODES = 2_000_000
_MOST_DEPTH = 100
_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})


def read_yaml(text: str, *, file: str) -> Document:
    """Parse YAML or JSON. Raises ConfigError with located Problems when it does not parse."""
    loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line, mark.column) if mark is not None else (0, 0)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(problems=[_problem(what, where, text=text, file=file)]) from None
    except yaml.YAMLError as error:
        raise ConfigError(problems=[_problem(str(error).split("\n")[0], (0, 0), text=text, file=file)]) from None
    if node is None:
        empty = Spot(line=0, column=0)
        return Document(file=file, text=text, data={}, spots=lambda: empty)
    builder = _Builder(text=text, file=file)
    value, spot = builder.build(node, 0)
    if not isinstance(value, dict):
        builder.complain("the file must hold names with values (a mapping), not a bare value", node)
        value = {}
    if builder.problems:
        raise ConfigError(problems=builder.problems)
    return Document(file=file, text=text, data=value, spots=lambda: spot)


class _Builder:
    """Turns composed nodes into values and spots, counting them."""

    def __init__(self, *, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []
        self._count = 0

    def build(self, node: yaml.Node, depth: int) -> tuple[Tree, Spot]:
        self._count += 1
        start, end = node.start_mark, node.end_mark
        width = end.column - start.column if start.line == end.line else 1
        spot = Spot(line=start.line, column=start.column, width=width)
        if self._count > _MOST_NODES or depth > _MOST_DEPTH:
            if not self.problems:
                self.complain("aliases or nesting unfold into too many values", node)
            return None, spot
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node), spot
        if isinstance(node, yaml.SequenceNode):
            items: list[Tree] = []
            spot.children = {}
            for index, item in enumerate(node.value):
                value, below = self.build(item, depth + 1)
                items.append(value)
                spot.children[index] = below
            return items, spot
        return self._mapping(cast("yaml.MappingNode", node), spot, depth), spot

    def _mapping(self, node: yaml.MappingNode, spot: Spot, depth: int) -> dict[str, Tree]:
        table: dict[str, Tree] = {}
        children: dict[str | int, Spot] = {}
        merged: list[tuple[dict[str, Tree], dict[str | int, Spot]]] = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.complain("a name must be plain text", key_node)
                continue
            value, below = self.build(value_node, depth + 1)
            mark = key_node.start_mark
            key = str(key_node.value)
            if key_node.tag == f"{_TAG}merge":
                sources = value if isinstance(value, list) else [value]
                spots = list((below.children or {}).values()) if isinstance(value, list) else [below]
                for source, source_spot in zip(sources, spots, strict=False):
                    if isinstance(source, dict):
                        merged.append((source, source_spot.children or {}))
                continue
            if key in table:
                self.complain(f"{key!r} stands here twice", key_node, related=children[key])
                continue
            below.at_key(line=mark.line, column=mark.column, width=key_node.end_mark.column - mark.column)
            table[key] = value
            children[key] = below
        for source, source_children in merged:
            for name, item in source.items():
                if name not in table:
                    table[name] = item
                    children[name] = source_children[name]
        spot.children = children
        return table

    def complain(self, message: str, node: yaml.Node, related: Spot | None = None) -> None:
        mark = node.start_mark
        problem = _problem(message, (mark.line, mark.column), text=self.text, file=self.file, related=related)
        self.problems.append(problem)


def _scalar(node: yaml.ScalarNode) -> Tree:
    text = str(node.value)
    kind = node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return True if text in _TRUE else False if text in _FALSE else text
    if kind in {"int", "float"}:
        try:
            return int(text, 0) if kind == "int" else float(text)
        except ValueError:
            return text
    return text


def _problem(what: str, where: tuple[int, int], *, text: str, file: str, related: Spot | None = None) -> Problem:
    lines = text.split("\n")
    line, column = where
    source = lines[line].rstrip("\r") if line < len(lines) else ""
    others = () if related is None else (Place(file=file, line=related.key_line + 1, column=related.key_column + 1),)
    return Problem(
        severity="error",
        kind="duplicate" if related is not None else "syntax",
        message=what if related is not None else f"this is not usable YAML: {what}",
        place=Place(file=file, line=line + 1, column=column + 1, source=source),
        remedy="Go templates ({{ … }}) in configuration files come later" if "{{" in text else "",
        related=others,
    )
