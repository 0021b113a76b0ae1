"""Access logs: where lines go, which lines, and how they look.

The engine writes them itself (DESIGN.md, law 5); a reader that stops delays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemun.plan.codec import Newtype
from daemun.plan.scalars import U16, U32, Millis
from daemun.plan.script import Condition
from daemun.plan.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog:
    """One access log."""

    sink: Sink
    format: Format
    # Lines kept while the reader does not take them; more are dropped and counted.
    queue_lines: U32
    # Only lines for which this holds; all when absent.
    when: Condition | None
    filter: LogFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Kept when any of these says so; every line when all are empty."""

    # Inclusive ranges.
    statuses: tuple[tuple[U16, U16], ...]
    # 0 for none.
    min_duration_ms: Millis
    retried: bool


@dataclass(frozen=True, slots=True)
class Stdout:
    """The engine's own standard output, which it inherits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Opened for appending; opened again on `reopen_logs`."""

    path: str
    mode: U32


@dataclass(frozen=True, slots=True)
class Json(Newtype):
    """One JSON object a line, fields in this order."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A line of text; values escaped as `escape` says."""

    line: Template
    escape: Escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A name and its value."""

    name: str
    value: Template
    kind: FieldKind


class FieldKind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    # Text, left out when empty.
    OPTIONAL_TEXT = "optional_text"
    # A number; 0 when empty.
    NUMBER = "number"
    # A number, left out when empty.
    OPTIONAL_NUMBER = "optional_number"


class Escape(StrEnum):
    """How values are escaped in a line of text."""

    # nginx's default: `"`, `\` and control characters as `\xXX`; a value that is not there is `-`.
    DEFAULT = "default"
    JSON = "json"
    NONE = "none"
    # Quotes and control characters as Go does; empty is `-`.
    COMMON = "common"


Sink = Stdout | File
Format = Json | Text
