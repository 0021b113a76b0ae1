"""Labels as a document of the dynamic configuration, whose places are a container and the name of a label.

    {"traefik.http.routers.web.tls.domains[0].main": "a.org"} ── read_labels ──► [Setting] ── document_of ──► LabelDocument

Facts (Traefik v3.7): names are compared without case; a list of texts is split at commas, a list of sections is
written with indices; `tls=true` may stand beside `tls.certResolver=…`, and `tls=false` switches all of it off.
Decisions: a label that cannot be read spoils only the router, service or middleware it belongs to. What an option means
is the business of the sections (daemun.traefik).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from daemun.config.document import Document, Path, Spot, Tree
from daemun.config.section import subject
from daemun.errors import Place, Problem, Severity

ROOT = "traefik"
_INDEXED = re.compile(r"([^\[\]]+)\[([0-9]{1,4})\]")
_PLAIN = re.compile(r"[^\[\]]+")
# Below these every further dot belongs to the name of a header.
_HEADER_MAPS = frozenset({"customrequestheaders", "customresponseheaders"})
_KINDS = {"routers": "router", "services": "service", "middlewares": "middleware"}
# The rest of a place that has no label.
_NOWHERE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value at a path below `traefik`; `where` says what gave it, such as `label traefik.http…`, "" the container.

    Without a value it says that the section is there, with its defaults.
    """

    path: Path
    value: str | None
    where: str = ""

    @property
    def lower(self) -> Path:
        """Return the path in lower case, to be compared."""
        return tuple(step.lower() if isinstance(step, str) else step for step in self.path)


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
        if column < 0:
            return Place(file=file)
        return Place(file=file, column=column + 1, source=setting.value or "", width=max(width, 1))

    def tree(self, path: Path) -> Tree:
        """Return what stands at a path, None when nothing does; names are compared without case."""
        found: Tree = self.data
        for step in path:
            if not isinstance(found, dict) or not isinstance(step, str):
                return None
            found = next((below for name, below in found.items() if name.lower() == step.lower()), None)
        return found

    def where(self, path: Path) -> str:
        """Return what gave the setting at a path, or the first one below it; "" when none is there."""
        spot, whole = self.find(path)
        return self.settings[spot.line].where if whole and 0 <= spot.line < len(self.settings) else ""


@dataclass(kw_only=True)
class Read:
    """What has been read of a container: settings that are sound, Problems, and what they spoil, as (kind, name)."""

    settings: list[Setting] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    broken: set[tuple[str, str]] = field(default_factory=set)

    def spoil(self, path: Path) -> None:
        """Remember that the router, service or middleware at this path has an error."""
        found = owner(path)
        if found is not None:
            self.broken.add(found)


def owner(path: Path) -> tuple[str, str] | None:
    """Return the entry that a path leads into, as (kind, name), or None when it leads into none.

    The name is "" when that could not be read: nobody is defined by it, and yet somebody was meant to be.
    """
    if len(path) < 2 or str(path[0]).lower() != "http":
        return None
    kind = _KINDS.get(str(path[1]).lower())
    return None if kind is None else (kind, str(path[2]) if len(path) > 2 else "")


def read_labels(labels: Mapping[str, str], *, file: str) -> Read:
    """Return the settings of all labels that begin with `traefik.`, in the order of their names."""
    read = Read()
    spelled: dict[Path, str] = {}
    for name in sorted(labels):
        if name.lower() != ROOT and not name.lower().startswith(f"{ROOT}."):
            continue
        path, sound = _path_of(name)
        path = _as_first_spelled(path, spelled)
        if sound:
            read.settings.append(Setting(path=path, value=labels[name], where=f"label {name}"))
            continue
        problem = _problem(f"label {name}", f"{name!r} is no name of an option", file=file, path=path)
        remedy = "names are joined by single dots; an index is written list[0]"
        read.problems.append(replace(problem, remedy=remedy))
        read.spoil(path)
    return read


def document_of(settings: Iterable[Setting], *, file: str, read: Read) -> LabelDocument:
    """Return the settings as a tree; what contradicts itself is said in `read`, and left out."""
    ordered = tuple(settings)
    root = _Node()
    for number, setting in enumerate(ordered):
        node = root
        for step in setting.path:
            node = node.child(step)
        if node.number is None:
            node.number = number
        else:
            first = ordered[node.number]
            message = f"{subject(setting.path)} stands here twice (the case of names does not matter)"
            related = (Place(file=f"{file} ({first.where})"),)
            problem = _problem(setting.where, message, file=file, path=setting.path)
            read.problems.append(replace(problem, kind="duplicate", related=related))
            read.spoil(setting.path)
    tree, spot = _Trees(ordered, file=file, read=read).of(root, ())
    data = tree if isinstance(tree, dict) else {}
    return LabelDocument(file=file, text="", data=data, spots=lambda: spot, settings=ordered)


class _Node:
    """A step of the tree: the setting that stands exactly here, and what stands below."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.children: dict[str | int, tuple[str | int, _Node]] = {}

    def child(self, step: str | int) -> _Node:
        key = step.lower() if isinstance(step, str) else step
        return self.children.setdefault(key, (step, _Node()))[1]

    def first(self) -> int:
        """Return the first setting here or below, or `_NOWHERE`."""
        numbers = [below.first() for _, below in self.children.values()]
        numbers += [] if self.number is None else [self.number]
        return min(numbers, default=_NOWHERE)


class _Trees:
    """Turns nodes into plain values and their spots."""

    def __init__(self, settings: tuple[Setting, ...], *, file: str, read: Read) -> None:
        self._settings = settings
        self._file = file
        self._read = read

    def of(self, node: _Node, path: Path) -> tuple[Tree, Spot]:
        spot = Spot(line=node.first(), column=-1)
        below = list(node.children.values())
        if below and not self._switched_off(node, path):
            spot.children = {}
            if all(isinstance(step, int) for step, _ in below):
                items: list[Tree] = []
                for index, (step, child) in enumerate(sorted(below, key=lambda one: one[0])):
                    item, spot.children[index] = self.of(child, (*path, step))
                    items.append(item)
                return items, spot
            table: dict[str, Tree] = {}
            for step, child in below:
                if isinstance(step, int):
                    self._mixed(child, (*path, step))
                    continue
                table[step], spot.children[step] = self.of(child, (*path, step))
            return table, spot
        if node.number is None:
            return {}, spot
        value = self._settings[node.number].value
        if value is None:
            return {}, spot
        spot.column, spot.width = 0, max(len(value), 1)
        spot.at_key(line=node.number, column=-1, width=1)
        return value, spot

    def _switched_off(self, node: _Node, path: Path) -> bool:
        """Judge a section that has a value too: `true` or nothing changes nothing, `false` switches it off."""
        if node.number is None:
            return False
        setting = self._settings[node.number]
        value = (setting.value or "").strip().lower()
        if value in {"", "true"}:
            return False
        if value != "false":
            message = f"{subject(path)} has a value, {setting.value!r}, and options below it: one of them is wrong"
            self._say(setting, path, message, severity="error")
            self._read.spoil(path)
            return False
        first = min(child.first() for _, child in node.children.values())
        message = f"{subject(path)} is switched off: what stands below it, as {subject(self._settings[first].path)}, is not used"
        self._say(setting, path, message, severity="warning")
        return True

    def _mixed(self, node: _Node, path: Path) -> None:
        message = f"{subject(path)} is an item of a list where options by name stand too"
        self._say(self._settings[node.first()], path, message, severity="error")
        self._read.spoil(path)

    def _say(self, setting: Setting, path: Path, message: str, *, severity: Severity) -> None:
        self._read.problems.append(_problem(setting.where, message, file=self._file, path=path, severity=severity))


def _path_of(name: str) -> tuple[Path, bool]:
    """Return the steps below `traefik`, as far as they are sound, and whether all are."""
    steps: list[str | int] = []
    parts = name.split(".")[1:]
    for number, part in enumerate(parts):
        if steps and str(steps[-1]).lower() in _HEADER_MAPS:
            return (*steps, ".".join(parts[number:])), all(parts[number:])
        indexed = _INDEXED.fullmatch(part)
        if indexed is not None:
            steps += [indexed[1], int(indexed[2])]
        elif _PLAIN.fullmatch(part):
            steps.append(part)
        else:
            return tuple(steps), False
    return tuple(steps), bool(steps)


def _as_first_spelled(path: Path, spelled: dict[Path, str]) -> Path:
    """Return the path with each name spelled as it was first: `Web` and `web` are one router."""
    key: Path = ()
    found: list[str | int] = []
    for step in path:
        key = (*key, step.lower() if isinstance(step, str) else step)
        found.append(spelled.setdefault(key, step) if isinstance(step, str) else step)
    return tuple(found)


def _problem(where: str, message: str, *, file: str, path: Path, severity: Severity = "error") -> Problem:
    """Return what is wrong with a setting: `where` gave it."""
    place = Place(file=f"{file} ({where})" if where else file)
    return Problem(severity=severity, kind="syntax", message=message, place=place, subject=subject(path))
