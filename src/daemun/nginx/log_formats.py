"""`log_format`, `access_log` and `error_log`.

Facts (nginx's ngx_http_log_module.c): without any `access_log` lines go to logs/access.log as `combined`; `off` on a
level ends all logs there, also the ones beside it; a format's words are joined; `escape=` stands first. The engine
writes lines in batches of its own: `buffer=` and `flush=` change nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from daemun.errors import nearest
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.values import complain, parse_millis, parse_size
from daemun.nginx.variables import template
from daemun.plan.log import AccessLog, Escape, File, LogFilter, Sink, Stdout, Text
from daemun.plan.scalars import Id
from daemun.plan.script import Condition, Truthy

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
STDOUT, STDERR = "/dev/stdout", "/dev/stderr"
# As many as anybody has.
_LINKS = 8
# 0644, as nginx makes them.
_MODE = 0o644
_QUEUE_LINES = 10_000
LEVELS = ("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")
_ESCAPES = {"default": Escape.DEFAULT, "json": Escape.JSON, "none": Escape.NONE}
_SYSLOG = "log to a file, and let the system's log shipper read it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLog:
    """Where nginx's own log goes (empty for standard error); `level` is nginx's word (`error`, `warn` …)."""

    path: str
    level: str


def access_logs(level: Level, making: Making) -> tuple[Id, ...]:
    """Return the access logs of a level, added when they are new."""
    at = level.owner(("access_log",))
    found = making.access_logs.get(at)
    if found is None:
        found = making.access_logs[at] = _access_logs(at, making)
    return found


def error_log(level: Level, making: Making) -> ErrorLog:
    """Return the error log of a level (the first when it has several)."""
    found = level.all("error_log")
    if not found:
        return ErrorLog(path=making.file("logs/error.log"), level="error")
    one = found[0]
    word = one.args[1] if len(one.args) > 1 else "error"
    if word not in LEVELS:
        remedy = f"it is one of {', '.join(LEVELS)}"
        complain(
            making, one, f'invalid log level "{word}"', argument=1, remedy=remedy, suggestion=nearest(word, LEVELS)
        )
        word = "error"
    if one.args[0].startswith(("syslog:", "memory:")):
        complain(
            making, one, f'"{one.args[0]}" is not served by this version', argument=0, kind="not_yet", remedy=_SYSLOG
        )
    is_stderr = one.args[0] == "stderr" or leads_to(one.args[0]) == STDERR
    return ErrorLog(path="" if is_stderr else making.file(one.args[0]), level=word)


def leads_to(path: str) -> str:
    """Return where links lead from a log that stands for a standard stream, as images link it; else the path."""
    end = path
    for _ in range(_LINKS):
        if end in {STDOUT, STDERR} or not os.path.islink(end):  # noqa: PTH114 - texts, as configurations have them
            break
        end = os.path.join(os.path.dirname(end), os.readlink(end))  # noqa: PTH115, PTH118, PTH120
    return end if end in {STDOUT, STDERR} else path


def _access_logs(level: Level, making: Making) -> tuple[Id, ...]:
    found = level.own("access_log")
    if not found:
        return (_add("access", _log(making.unasked_log, _combined(making), None, making), making),)
    if any(one.args and one.args[0] == "off" for one in found):
        for one in found:
            if one.args[0] == "off" and len(one.args) > 1:
                complain(making, one, f'invalid parameter "{one.args[1]}"', argument=1, remedy="`off` stands alone")
        return ()
    ids = [_access_log(one, level, making) for one in found]
    return tuple(name for name in ids if name is not None)


def log_format(one: Directive, making: Making) -> Text:
    """Return what a `log_format` says."""
    begin, escape = 1, Escape.DEFAULT
    if len(one.args) > 1 and one.args[1].startswith("escape="):
        begin, word = 2, one.args[1].removeprefix("escape=")
        if word not in _ESCAPES:
            message = f'unknown log format escaping "{word}"'
            remedy = "it is default, json or none"
            complain(making, one, message, argument=1, remedy=remedy, suggestion=nearest(word, _ESCAPES))
        escape = _ESCAPES.get(word, Escape.DEFAULT)
    # Words are joined before they are read: one text, one template.
    place = one.places[begin] if len(one.places) > begin else one.place
    return Text(line=template("".join(one.args[begin:]), making, place), escape=escape)


def _access_log(one: Directive, level: Level, making: Making) -> Id | None:
    path = one.args[0]
    if path.startswith("syslog:"):
        complain(
            making, one, "logging to syslog is not served by this version", argument=0, kind="not_yet", remedy=_SYSLOG
        )
        return None
    if "$" in path:
        message = "variables in the name of a log are not served by this version"
        remedy = "log to one file with the variable in its log_format, and split it afterwards"
        complain(making, one, message, argument=0, kind="not_yet", remedy=remedy)
        return None
    name = one.args[1] if len(one.args) > 1 else "combined"
    text = _format(name, one, level, making)
    when = _options(one, making)
    if text is None:
        return None
    suffix = next((f" {word}" for word in one.args[2:] if word.startswith("if=")), "")
    plain = path == making.unasked_log and name == "combined" and not suffix
    return _add("access" if plain else f"{path} {name}{suffix}", _log(path, text, when, making), making)


def _format(name: str, one: Directive, level: Level, making: Making) -> Text | None:
    formats = {format_.args[0]: format_ for format_ in reversed(level.all("log_format")) if format_.args}
    by_lower = {known.lower(): known for known in formats}
    if name.lower() in by_lower:
        return log_format(formats[by_lower[name.lower()]], making)
    if name.lower() == "combined":
        return _combined(making)
    near = nearest(name, [*formats, "combined"])
    remedy = "formats are named by log_format in http"
    complain(making, one, f'unknown log format "{name}"', argument=1, kind="reference", suggestion=near, remedy=remedy)
    return None


def _options(one: Directive, making: Making) -> Condition | None:
    """Read what stands after the format; return the condition of `if=`."""
    when: Condition | None = None
    for index in range(2, len(one.args)):
        word, _, value = one.args[index].partition("=")
        if word == "if" and "=" in one.args[index]:
            when = Truthy(template(value, making, one.places[index]))
        elif word == "buffer" and parse_size(value):
            continue
        elif word == "flush" and parse_millis(value):
            if not any(other.startswith("buffer=") for other in one.args[2:]):
                complain(making, one, f'no buffer is defined for access_log "{one.args[0]}"', argument=index)
        elif word == "gzip":
            message = "compressed logs are not served by this version"
            complain(making, one, message, argument=index, kind="not_yet", remedy="let logrotate compress them")
        else:
            near = nearest(word, ("buffer", "flush", "gzip", "if"))
            complain(making, one, f'invalid parameter "{one.args[index]}"', argument=index, suggestion=near)
    return when


def _combined(making: Making) -> Text:
    return Text(line=template(COMBINED, making, None), escape=Escape.DEFAULT)


def _log(path: str, text: Text, when: Condition | None, making: Making) -> AccessLog:
    # Opened anew it may be refused: a pipe belongs to whoever made it, and the engine runs as `user`.
    sink: Sink = Stdout() if leads_to(path) == STDOUT else File(path=making.file(path), mode=_MODE)
    return AccessLog(
        sink=sink,
        format=text,
        queue_lines=_QUEUE_LINES,
        when=when,
        filter=LogFilter(statuses=(), min_duration_ms=0, retried=False),
    )


def _add(name: Id, log: AccessLog, making: Making) -> Id:
    making.logs[name] = log
    return name
