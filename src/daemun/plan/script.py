"""nginx's rewrite phase as data: `set`, `rewrite`, `if`, `return`, `break`.

A `Condition` is also what guards filters and access logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from daemun.plan import route
from daemun.plan.codec import Newtype
from daemun.plan.matching import Pattern
from daemun.plan.scalars import U16, Id
from daemun.plan.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Writes a slot."""

    slot: U16
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """When it holds: the steps run, and `route` (a prepared one) replaces the current route after the phase."""

    when: Condition
    steps: tuple[Step, ...]
    route: Id | None


@dataclass(frozen=True, slots=True)
class SetQuery(Newtype):
    """The current query, without `?` (nginx `set $args`); the path and what was received stay."""

    query: Template


@dataclass(frozen=True, slots=True)
class Return(Newtype):
    """Ends the exchange with this answer; error pages may replace it."""

    respond: route.Respond


@dataclass(frozen=True, slots=True)
class ReturnText(Newtype):
    """The same, and no error page replaces it (nginx `return 404 "text"`)."""

    respond: route.Respond


@dataclass(frozen=True, slots=True)
class Close:
    """The connection is closed without a word (nginx `return 444`)."""


@dataclass(frozen=True, slots=True)
class Break:
    """Ends the phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Changes the current path, or answers with a redirect."""

    # Matched against the current path.
    pattern: Pattern
    # The new path; the first `?` in a literal part begins a query. A redirect sends the whole.
    replacement: Template
    # The old query is appended (not when the replacement ends in `?`).
    append_query: bool
    then: RewriteThen


@dataclass(frozen=True, slots=True)
class Continue:
    """The next step; a changed path searches again after the phase."""


@dataclass(frozen=True, slots=True)
class Last:
    """Search again now."""


@dataclass(frozen=True, slots=True)
class Stay:
    """End the phase, stay in this route."""

    TAG: ClassVar[str] = "break"


@dataclass(frozen=True, slots=True)
class Redirect(Newtype):
    """This answer, with the replacement as its Location."""

    respond: route.Respond


@dataclass(frozen=True, slots=True)
class Truthy(Newtype):
    """Not empty and not `0`."""

    TAG: ClassVar[str] = "true"

    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals:
    """Both texts are equal."""

    value: Template
    to: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The value is searched."""

    value: Template
    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A test of the file system."""

    path: Template
    test: FileTest


@dataclass(frozen=True, slots=True)
class Not(Newtype):
    """It does not hold."""

    of: Condition


@dataclass(frozen=True, slots=True)
class All(Newtype):
    """All of them hold."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any(Newtype):
    """One of them holds."""

    of: tuple[Condition, ...]


class FileTest(StrEnum):
    """What is asked of a path."""

    FILE = "file"
    DIRECTORY = "directory"
    EXISTS = "exists"
    EXECUTABLE = "executable"


Step = Set | Rewrite | If | SetQuery | Return | ReturnText | Close | Break
RewriteThen = Continue | Last | Stay | Redirect
Condition = Truthy | Equals | Matches | File | Not | All | Any
