"""Words of a command line to options: `--a.b=c`, `--a.b c`, `--a.b` for true.

Facts (Traefik's paerser, after Go's `flag`): one dash does as well as two; only a switch or a section may stand without
a value, every other flag takes the next word; a flag given again wins, but lists add up; `--` ends the flags. Decision:
`true` and `false` after a switch are its value (Traefik stops reading there, and ignores every flag that follows).
Which words these are is the command's business; what no flag took is handed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemun.config.document import Document
from daemun.config.settings import Setting, document_of, kind_at, steps_of, unknown_setting, wrong_setting
from daemun.config.shape import shape_of
from daemun.errors import Place, Problem, nearest

if TYPE_CHECKING:
    from daemun.config.section import Section

FILE = "command line"
_SWITCHES = frozenset({"switch", "section"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the words say, what is wrong with them; the words of flags (each with its value), and the others."""

    document: Document
    problems: tuple[Problem, ...]
    words: tuple[str, ...]
    rest: tuple[str, ...]


def read_flags(words: Sequence[str], model: type[Section], *, own: Sequence[str] = ()) -> Flags:
    """Return the options that the words give; `own` are flags of the command, for whoever mistypes one."""
    settings: list[Setting] = []
    problems: list[Problem] = []
    used: list[str] = []
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            rest.extend(left)
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        name, equals, value = word.partition("=")
        bare = name.removeprefix("-").removeprefix("-")
        setting = Setting(name=name, steps=steps_of(bare, separator="."), value=value)
        kind = kind_at(model, setting.steps)
        if not equals:
            taken = _next(left, kind)
            if taken is None:
                remedy = f"write {name}=VALUE"
                problems.append(wrong_setting(setting, f"{name} needs a value", kind="missing", remedy=remedy))
                used.append(word)
                continue
            setting = Setting(name=name, steps=setting.steps, value=taken)
        used.append(f"{name}={setting.value}")
        if _is_root(model, setting.steps[0]):
            settings.append(setting)
        else:
            problems.append(_unknown(setting, model, own))
    document, wrong = document_of(settings, model, file=FILE)
    return Flags(document=document, problems=(*problems, *wrong), words=tuple(used), rest=tuple(rest))


def misplaced_flags(flags: Sequence[str], file: Path) -> Problem:
    """Say that flags of Traefik's language were given with a file in another one."""
    name = flags[0].partition("=")[0]
    return Problem(
        severity="error",
        kind="placement",
        message=f"{name} is an option of Traefik's language, and {file} is an nginx.conf",
        place=Place(file=name),
        subject=name,
    )


def _next(left: list[str], kind: str | None) -> str | None:
    """Return the value of a flag that has none of its own, taking the next word if that is it."""
    following = left[0] if left else ""
    if kind in _SWITCHES:
        return left.pop(0) if following.lower() in {"true", "false"} else "true"
    if kind is None:  # not served yet, or mistyped: whether it takes a value is not known
        return left.pop(0) if following and not following.startswith("-") else "true"
    return None if not following or following.startswith("--") else left.pop(0)


def _is_root(model: type[Section], step: str) -> bool:
    shape = shape_of(model)
    return any(step.lower() in names for names in (shape.names, shape.not_yet, shape.elsewhere))


def _unknown(setting: Setting, model: type[Section], own: Sequence[str]) -> Problem:
    """Say that no option begins like this, with the nearest option or flag of the command."""
    if len(setting.steps) == 1:
        near = nearest(setting.name, [*own, *(f"--{name}" for name in shape_of(model).known())])
        message = f"unknown flag {setting.name}"
        return Problem(
            severity="error",
            kind="unknown",
            message=message,
            place=setting.place,
            subject=setting.steps[0],
            found=setting.name,
            suggestion=near,
        )
    return unknown_setting(setting, 0, shape_of(model).known())
