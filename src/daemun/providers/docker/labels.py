"""Names of labels to paths of the dynamic configuration.

    {"traefik.http.routers.web.tls.domains[0].main": "a.org"} ── read_labels ──► [Setting(path, value)]

Facts (Traefik v3.7): names are compared without case; a list of sections is written with indices; the name of a header
may have dots in it. Decision: a label that cannot be read spoils only the router, service or middleware it belongs to.
What the settings make is in label_document.py, what an option means is the business of the sections (daemun.traefik).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from daemun.config.document import Path
from daemun.config.section import subject
from daemun.errors import Place, Problem

ROOT = "traefik"
_INDEXED = re.compile(r"([^\[\]]+)\[([0-9]{1,4})\]")
_PLAIN = re.compile(r"[^\[\]]+")
# Below these every further dot belongs to the name of a header.
_HEADER_MAPS = frozenset({"customrequestheaders", "customresponseheaders"})
_KINDS = {"routers": "router", "services": "service", "middlewares": "middleware"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value at a path below `traefik`; `where` says what gave it, such as `label traefik.http…`, "" the container.

    Without a value it says that the section is there, with its defaults.
    """

    path: Path
    value: str | None
    where: str = ""
    # The path in lower case, to be compared.
    lower: Path = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lower = tuple(step.lower() if isinstance(step, str) else step for step in self.path)
        object.__setattr__(self, "lower", lower)


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
        problem = syntax_problem(f"label {name}", f"{name!r} is no name of an option", file=file, path=path)
        remedy = "names are joined by single dots; an index is written list[0]"
        read.problems.append(replace(problem, remedy=remedy))
        read.spoil(path)
    return read


def syntax_problem(where: str, message: str, *, file: str, path: Path) -> Problem:
    """Return what is wrong with a setting: `where` gave it."""
    place = Place(file=f"{file} ({where})" if where else file)
    return Problem(severity="error", kind="syntax", message=message, place=place, subject=subject(path))


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
