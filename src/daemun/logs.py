"""The control plane's own log: structlog, on standard error or in a file, readable, as JSON or as nginx's error log.

A line has the time, the level, the event and its fields, in the shape of the engine's own lines. The level names are
Traefik's and nginx's. This is no access log: that is the engine's.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import IO, Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from daemun.errors import Problem

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "crit": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "emerg": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "panic": logging.CRITICAL,
}
_SHORT = {"debug": "DBG", "info": "INF", "warning": "WRN", "error": "ERR", "critical": "FTL"}
_NGINX = {"debug": "debug", "info": "notice", "warning": "warn", "error": "error", "critical": "emerg"}
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}


class LogFile:
    """Where lines go. One object for the life of the process, so that loggers may be kept."""

    def __init__(self) -> None:
        self._file: IO[str] = sys.stderr
        self.path = ""

    @property
    def descriptor(self) -> int | None:
        """The file's descriptor for the engine to inherit; None while it is standard error."""
        return None if self._file is sys.stderr else self._file.fileno()

    @property
    def is_terminal(self) -> bool:
        """Whether people read it as it is written."""
        return self._file.isatty()

    def open(self, path: str) -> None:
        """Write to this file from now on, to standard error when empty. Raises OSError."""
        file = sys.stderr if not path else open(path, "a", encoding="utf-8", buffering=1)  # noqa: PTH123, SIM115
        old, self._file, self.path = self._file, file, path
        if old is not sys.stderr:
            old.close()

    def reopen(self) -> None:
        """Open the file again, after someone has moved it away."""
        self.open(self.path)

    def write(self, line: str) -> None:
        """Write a line. A reader that is gone is no reason to stop."""
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError:
            pass


LOG_FILE = LogFile()


class _Lines:
    """What structlog calls with a finished line."""

    def msg(self, line: str) -> None:
        LOG_FILE.write(line)

    debug = info = warning = error = critical = msg


def configure(*, level: str, form: str, path: str = "", colour: bool = True) -> None:
    """Set the level (Traefik's or nginx's name), the form (`common`, `json` or `nginx`) and the file. Raises OSError."""
    if path != LOG_FILE.path:
        LOG_FILE.open(path)
    with_colour = colour and LOG_FILE.is_terminal and "NO_COLOR" not in os.environ
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            {"json": _json_line, "nginx": _nginx_line}.get(form, _coloured_line if with_colour else _plain_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )


def engine_level(level: str) -> str:
    """Return the engine's name for one of Traefik's levels (it knows three)."""
    known = _LEVELS[level]
    return "error" if known >= logging.ERROR else "warning" if known >= logging.WARNING else "info"


def log_problem(problem: Problem) -> None:
    """Write a problem of the configuration as one event with its place."""
    fields: dict[str, str | int] = {}
    if problem.place is not None:
        fields["file"] = problem.place.file
        fields |= {k: v for k, v in (("line", problem.place.line), ("column", problem.place.column)) if v}
    for name in ("subject", "suggestion", "remedy"):
        if value := getattr(problem, name):
            fields[name] = value
    level = {"error": logging.ERROR, "warning": logging.WARNING}.get(problem.severity, logging.INFO)
    if problem.kind in {"not_yet", "unknown"} or problem.subject == "providers":
        level = logging.ERROR  # what was asked for and is not done is said at Traefik's default level too
    structlog.get_logger().log(level, problem.message, **fields)


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    ordered = {key: event.pop(key) for key in ("time", "level", "event")}
    return json.dumps({**ordered, **event}, ensure_ascii=False, default=str)


def _plain_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    level = event.pop("level")
    return f"{event.pop('time')} {_SHORT.get(level, level)} {event.pop('event')}{_fields(event)}"


def _coloured_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    level = event.pop("level")
    short = f"\x1b[{_COLOURS.get(level, '0')}m{_SHORT.get(level, level)}\x1b[0m"
    return f"\x1b[2m{event.pop('time')}\x1b[0m {short} {event.pop('event')}\x1b[2m{_fields(event)}\x1b[0m"


def _nginx_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return a line of nginx's error log: `2026/11/25 14:00:00 [error] 4711#4711: what happened, name: value`."""
    event.pop("time")
    level = event.pop("level")
    text = str(event.pop("event"))
    place = f" in {event.pop('file')}:{event.pop('line', 0)}" if "file" in event else ""
    event.pop("column", None)
    rest = "".join(f", {name}: {_value(value)}" for name, value in event.items())
    pid = os.getpid()
    return f"{time.strftime('%Y/%m/%d %H:%M:%S')} [{_NGINX.get(level, level)}] {pid}#{pid}: {text}{place}{rest}"


def _fields(event: Mapping[str, Any]) -> str:
    file = event.get("file")
    place = ":".join(str(event[key]) for key in ("file", "line", "column") if key in event) if file else ""
    rest = "".join(
        f" {key}={_value(value)}" for key, value in event.items() if not (file and key in {"file", "line", "column"})
    )
    return (f" at {place}" if place else "") + rest


def _value(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c in ' "=\n' for c in text) else text
