"""What can go wrong, as values, and the exceptions that carry them.

    DaemunError
    ├── ConfigError          the configuration cannot be used: carries every Problem found
    │   └── RuleError        one routing rule is wrong: carries the offset inside the rule
    ├── PlanError            a Plan that the twin types refuse
    ├── CertificateError     a certificate, its key or a root cannot be used
    ├── ProviderError        where configuration comes from cannot be reached, or says what cannot be understood
    └── EngineError          the engine process or its control socket failed

A Problem says what was found, where (file, line, column) and what was meant. Readers collect
Problems and go on; they raise ConfigError only when nothing usable is left. This module does
not print: it renders a Problem as text with a caret, or as a dict for JSON.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
JsonValue = str | int | list["JsonValue"] | dict[str, "JsonValue"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point in a text: line and column count from 1, columns in characters.

    `source` is the text of that line, `width` how many characters the caret underlines.
    """

    file: str
    line: int = 0
    column: int = 0
    source: str = ""
    width: int = 1

    def __str__(self) -> str:
        """Return `file:line:column`, leaving out what is not known."""
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong (error), doubtful (warning) or worth knowing (info) in a configuration.

    `kind` is a stable word for machines: syntax, unknown, value, missing, duplicate, reference,
    rule, not_yet, empty, placement, hint, hidden, file, certificate. `subject` names the option
    (`http.routers.web.rule`).
    """

    severity: Severity
    kind: str
    message: str
    place: Place | None = None
    subject: str = ""
    found: str = ""
    remedy: str = ""
    suggestion: str = ""
    related: tuple[Place, ...] = ()

    @property
    def is_error(self) -> bool:
        """Tell whether this makes `check` fail."""
        return self.severity == "error"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return each problem once: file by file as they were found, and from the top of each down."""
    once = dict.fromkeys(problems)
    files: dict[str, int] = {}
    for problem in once:
        if problem.place is not None:
            files.setdefault(problem.place.file, len(files))

    def rank(problem: Problem) -> tuple[int, int, int]:
        place = problem.place
        return (-1, 0, 0) if place is None else (files[place.file], place.line, place.column)

    return sorted(once, key=rank)


class DaemunError(Exception):
    """The root of every exception this package raises on purpose."""


class ConfigError(DaemunError):
    """The configuration cannot be used; `problems` holds everything that was found."""

    def __init__(self, *, problems: Sequence[Problem]) -> None:
        """Keep the problems; the exception's text is their rendering."""
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(render_problem(problem) for problem in self.problems))


class RuleError(ConfigError):
    """A routing rule is wrong at byte `offset` (from 0) of its text, character `index`."""

    def __init__(
        self, *, rule: str, index: int, width: int, message: str, remedy: str = "", suggestion: str = ""
    ) -> None:
        """Describe the fault; the reader moves the place from the rule into its file."""
        self.rule = rule
        self.index = index
        self.width = max(width, 1)
        self.offset = len(rule[:index].encode("utf-8", "surrogatepass"))
        place = Place(file="rule", line=1, column=self.offset + 1, source=rule, width=self.width)
        problem = Problem(
            severity="error", kind="rule", message=message, place=place, remedy=remedy, suggestion=suggestion
        )
        super().__init__(problems=[problem])

    @property
    def problem(self) -> Problem:
        """Return the one problem, placed inside the rule text."""
        return self.problems[0]


class PlanError(DaemunError):
    """A Plan is not well formed."""


class CertificateError(DaemunError):
    """A certificate, its key or a root cannot be used; the text says why, never what the key is."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        """Say what is wrong, and what to do about it."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class ProviderError(DaemunError):
    """Where configuration comes from cannot be reached, or says what cannot be understood."""


class EngineError(DaemunError):
    """The engine process or its control socket failed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name closest to `name` whatever its case, or an empty string."""
    import difflib  # only needed once something is wrong

    by_lower = {candidate.lower(): candidate for candidate in known}
    hits = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[hits[0]] if hits else ""


def render_problem(problem: Problem) -> str:
    """Return the problem as text: a headline with its place, the source line, a caret, advice."""
    head = f"{problem.severity}: {problem.message}"
    if problem.place is None:
        lines = [head]
    else:
        lines = [f"{problem.place}: {head}", *_caret_lines(problem.place)]
    if problem.suggestion:
        lines.append(f"  did you mean {problem.suggestion!r}?")
    if problem.remedy:
        lines.append(f"  {problem.remedy}")
    lines.extend(f"  also at {place}" for place in problem.related)
    return "\n".join(lines)


def problem_as_dict(problem: Problem) -> dict[str, JsonValue]:
    """Return the problem as a JSON object; keys without a value are null."""
    return {
        "severity": problem.severity,
        "kind": problem.kind,
        "message": problem.message,
        "place": None if problem.place is None else _place_as_dict(problem.place),
        "subject": problem.subject or None,
        "found": problem.found or None,
        "remedy": problem.remedy or None,
        "suggestion": problem.suggestion or None,
        "related": [_place_as_dict(place) for place in problem.related],
    }


def _place_as_dict(place: Place) -> JsonValue:
    return {"file": place.file, "line": place.line or None, "column": place.column or None}


def _caret_lines(place: Place) -> list[str]:
    """Return the source line and a caret line under it (tabs kept, wide characters counted twice)."""
    if not place.source or not place.column:
        return []
    # A rule is shown as one line even when it holds line breaks; its columns count bytes.
    source = "".join(" " if unicodedata.category(char) == "Cc" and char != "\t" else char for char in place.source)
    before = source[: place.column - 1]
    if place.file == "rule":
        before = source.encode("utf-8", "replace")[: place.column - 1].decode("utf-8", "ignore")
    padding = "".join("\t" if char == "\t" else " " * _cells(char) for char in before)
    under = source[len(before) : len(before) + max(place.width, 1)]
    carets = "^" * max(sum(_cells(char) for char in under), 1)
    number = str(place.line or "")  # a label has no line
    return [f"  {number} | {source}", f"  {' ' * len(number)} | {padding}{carets}"]


def _cells(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
