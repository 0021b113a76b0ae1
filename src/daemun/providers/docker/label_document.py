"""Settings of one container as a document, whose places are the container and the name of a label.

    [Setting] ── document_of ──► LabelDocument (a tree, and where each value stands)

Facts (Traefik v3.7): `tls=true` may stand beside `tls.certResolver=…`, and `tls=false` switches all of it off; items of
a list come in the order of their indices. Decisions: what contradicts itself is said, left out, and spoils its owner;
places are worked out when somebody asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from daemun.config.document import Document, Path, Spot, Tree
from daemun.config.section import subject
from daemun.errors import Place, Severity
from daemun.providers.docker.labels import Read, Setting, syntax_problem


@dataclass(frozen=True, kw_only=True)
class LabelDocument(Document):
    """Settings of one container; a line of it is a setting, and a place names the setting's label."""

    settings: tuple[Setting, ...] = field(default=(), repr=False)

    def line(self, path: Path) -> int:  # noqa: ARG002 - the document's border
        """Return 0: labels have no lines."""
        return 0

    def at(self, line: int, column: int, width: int = 1) -> Place:
        """Return the place of a setting; a column only within its value."""
        if not 0 <= line < len(self.settings):
            return Place(file=self.file)
        setting = self.settings[line]
        file = f"{self.file} ({setting.where})" if setting.where else self.file
        if column < 0 or not setting.where:
            return Place(file=file)  # what nobody wrote has no text to show
        return Place(file=file, column=column + 1, source=setting.value or "", width=max(width, 1))

    def tree(self, path: Path) -> Tree:
        """Return what stands at a path, None when nothing does; names are compared without case."""
        found: Tree = self.data
        for step in path:
            if not isinstance(found, dict) or not isinstance(step, str):
                return None
            found = next((below for name, below in found.items() if name.lower() == step.lower()), None)
        return found


def document_of(settings: Iterable[Setting], *, file: str, read: Read) -> LabelDocument:
    """Return the settings as a tree; what contradicts itself is said in `read`, and left out."""
    ordered = tuple(settings)
    root = _Node(-1)
    for number, setting in enumerate(ordered):
        node = root
        for step in setting.path:
            node = node.child(step, number)
        if node.number is None:
            node.number = number
        else:
            first = ordered[node.number]
            message = f"{subject(setting.path)} stands here twice (the case of names does not matter)"
            related = (Place(file=f"{file} ({first.where})"),)
            problem = syntax_problem(setting.where, message, file=file, path=setting.path)
            read.problems.append(replace(problem, kind="duplicate", related=related))
            read.spoil(setting.path)
    _Judge(ordered, file=file, read=read).judge(root, ())
    tree = _tree(root, ordered)
    data = tree if isinstance(tree, dict) else {}
    return LabelDocument(file=file, text="", data=data, spots=lambda: _spot(root, ordered), settings=ordered)


class _Node:
    """A step of the tree: the setting that stands exactly here, and what stands below, by its name in lower case.

    `first` is the first setting that leads here.
    """

    __slots__ = ("children", "first", "number")

    def __init__(self, first: int) -> None:
        self.first = first
        self.number: int | None = None
        self.children: dict[str | int, tuple[str | int, _Node]] = {}

    def child(self, step: str | int, number: int) -> _Node:
        key = step.lower() if isinstance(step, str) else step
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = (step, _Node(number))
        return found[1]


class _Judge:
    """Leaves in each node either a value, or a table, or a list."""

    def __init__(self, settings: tuple[Setting, ...], *, file: str, read: Read) -> None:
        self._settings = settings
        self._file = file
        self._read = read

    def judge(self, node: _Node, path: Path) -> None:
        if node.children and node.number is not None:
            self._value_beside_options(node, node.number, path)
        indices = sorted(step for step in node.children if isinstance(step, int))
        if len(indices) == len(node.children):
            node.children = {number: (number, node.children[step][1]) for number, step in enumerate(indices)}
        else:
            for index in indices:
                self._mixed(node.children.pop(index)[1], (*path, index))
        for step, child in node.children.values():
            self.judge(child, (*path, step))

    def _value_beside_options(self, node: _Node, number: int, path: Path) -> None:
        """Judge a section that has a value too: `true` or nothing changes nothing, `false` switches it off."""
        setting = self._settings[number]
        value = (setting.value or "").strip().lower()
        if value == "false":
            first = subject(self._settings[min(child.first for _, child in node.children.values())].path)
            message = f"{subject(path)} is switched off: what stands below it, as {first}, is not used"
            self._say(setting, path, message, severity="warning")
            node.children = {}
            return
        if value not in {"", "true"}:
            message = f"{subject(path)} has a value, {setting.value!r}, and options below it: one of them is wrong"
            self._say(setting, path, message, severity="error")
            self._read.spoil(path)
        node.number = None

    def _mixed(self, node: _Node, path: Path) -> None:
        message = f"{subject(path)} is an item of a list where options by name stand too"
        self._say(self._settings[node.first], path, message, severity="error")
        self._read.spoil(path)

    def _say(self, setting: Setting, path: Path, message: str, *, severity: Severity) -> None:
        problem = syntax_problem(setting.where, message, file=self._file, path=path)
        self._read.problems.append(replace(problem, severity=severity))


def _tree(node: _Node, settings: tuple[Setting, ...]) -> Tree:
    """Return the values of a judged node."""
    if node.number is not None:
        value = settings[node.number].value
        return {} if value is None else value
    if 0 in node.children:
        return [_tree(child, settings) for _, child in node.children.values()]
    return {str(step): _tree(child, settings) for step, child in node.children.values()}


def _spot(node: _Node, settings: tuple[Setting, ...]) -> Spot:
    """Return where a judged node stands: a line for a setting, and a column only within its value."""
    spot = Spot(line=node.first, column=-1)
    value = settings[node.number].value if node.number is not None else None
    if value is not None:
        spot.column, spot.width = 0, max(len(value), 1)
    elif node.children:
        spot.children = {step: _spot(child, settings) for step, child in node.children.values()}
    return spot
