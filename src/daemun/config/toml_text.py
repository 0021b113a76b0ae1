"""TOML text to a Document: tomllib for the values, tree-sitter for the places.

tomllib is the judge of what is valid and gives no positions; tree-sitter-toml gives positions and
judges nothing. The second parse happens only when somebody asks for a place. Neither knows options.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from daemun.config.document import Document, Spot, Tree
from daemun.errors import ConfigError, Place, Problem

if TYPE_CHECKING:
    from tree_sitter import Node

_AT = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)
_CONTAINERS = frozenset({"table", "table_array_element"})
_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})


def read_toml(text: str, *, file: str) -> Document:
    """Parse TOML. Raises ConfigError with one located Problem when it does not parse."""
    try:
        data = _table(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(problems=[_syntax_problem(str(error), text=text, file=file)]) from None
    except RecursionError:
        raise ConfigError(problems=[_syntax_problem("Nested too deeply", text=text, file=file)]) from None
    return Document(file=file, text=text, data=data, spots=lambda: toml_spots(text), byte_columns=True)


def toml_spots(text: str) -> Spot:
    """Return the spots of every key and value; columns count bytes."""
    import tree_sitter_toml  # imported late: only needed to point at something
    from tree_sitter import Language, Parser

    tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode())
    root = Spot(line=0, column=0)
    for node in tree.root_node.named_children:
        if node.type == "pair":
            _pair(root, node)
        elif node.type in _CONTAINERS:
            _container(root, node)
    return root


def _container(root: Spot, node: Node) -> None:
    """Place `[a.b]` or `[[a.b]]` and the pairs below it."""
    parts = node.named_children
    key = next((part for part in parts if part.type in _KEYS), None)
    if key is None:
        return
    steps = _steps(key)
    spot = root
    for number, (name, at) in enumerate(steps):
        last = number == len(steps) - 1
        spot = _descend(spot, name, at, fresh=last)
        if last and node.type == "table_array_element":
            items = spot.children = spot.children if spot.children is not None else {}
            item = items[len(items)] = Spot(line=at.start_point.row, column=at.start_point.column, width=_width(at))
            spot = item
        elif not last:
            spot = _last_item(spot)
    for part in parts:
        if part.type == "pair":
            _pair(spot, part)


def _pair(spot: Spot, node: Node) -> None:
    """Place `key = value`, where the key may be dotted."""
    parts = [part for part in node.named_children if part.type != "comment"]
    if len(parts) < 2:
        return
    steps = _steps(parts[0])
    for name, at in steps:
        spot = _descend(spot, name, at, fresh=True)
    _value(spot, parts[-1])


def _value(spot: Spot, node: Node) -> None:
    spot.line, spot.column, spot.width = node.start_point.row, node.start_point.column, _width(node)
    if node.type == "inline_table":
        for part in node.named_children:
            if part.type == "pair":
                _pair(spot, part)
    elif node.type == "array":
        spot.children = {}
        items = (part for part in node.named_children if part.type != "comment")
        for index, part in enumerate(items):
            item = spot.children[index] = Spot(line=0, column=0)
            _value(item, part)
            item.at_key(line=item.line, column=item.column, width=item.width)


def _descend(spot: Spot, name: str, at: Node, *, fresh: bool) -> Spot:
    """Return the child `name`, made here when missing; `fresh` moves its key here."""
    if spot.children is None:
        spot.children = {}
    child = spot.children.get(name)
    row, column = at.start_point
    if child is None:
        child = spot.children[name] = Spot(line=row, column=column, width=_width(at))
    elif fresh and child.children is None:
        child.at_key(line=row, column=column, width=_width(at))
    return child


def _last_item(spot: Spot) -> Spot:
    """Step into the newest element when the spot is an array of tables."""
    if spot.children and all(isinstance(step, int) for step in spot.children):
        return spot.children[len(spot.children) - 1]
    return spot


def _steps(key: Node) -> list[tuple[str, Node]]:
    if key.type == "dotted_key":
        return [step for part in key.named_children for step in _steps(part)]
    raw = (key.text or b"").decode(errors="replace")
    if key.type == "quoted_key":
        return [(next(iter(tomllib.loads(f"{raw} = 0"))), key)]
    return [(raw, key)]


def _width(node: Node) -> int:
    start, end = node.start_point, node.end_point
    return int(end.column - start.column) if start.row == end.row else 1


def _table(parsed: Mapping[str, object]) -> dict[str, Tree]:
    return {key: _tree(value) for key, value in parsed.items()}


def _tree(value: object) -> Tree:
    """Keep what a configuration can hold; dates and times become their text."""
    if isinstance(value, dict):
        return _table(value)
    if isinstance(value, list):
        return [_tree(item) for item in value]
    if isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _syntax_problem(message: str, *, text: str, file: str) -> Problem:
    lines = text.split("\n")
    match = _AT.match(message)
    what = match["what"] if match else message
    line = int(match["line"]) if match and match["line"] else len(lines)
    source = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
    column = int(match["column"]) if match and match["column"] else len(source) + 1
    remedy = ""
    if "{{" in text:
        remedy = "Go templates ({{ … }}) in configuration files come later"
    return Problem(
        severity="error",
        kind="syntax",
        message=f"this is not TOML: {what[:1].lower()}{what[1:]}",
        place=Place(file=file, line=line, column=column, source=source),
        remedy=remedy,
    )
