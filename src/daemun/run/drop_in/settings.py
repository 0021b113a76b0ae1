"""What the main context of nginx.conf says about the process itself: pid, daemon, error_log, workers.

The rest of the configuration is lowered by `daemun.nginx`; this is only what no Plan has a place for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemun.errors import Problem
from daemun.nginx.configuration import ErrorLogTerms
from daemun.nginx.directive import Directive
from daemun.nginx.log_formats import LEVELS, STDERR, leads_to
from daemun.nginx.process import ignored_user
from daemun.nginx.values import parse_millis
from daemun.run.drop_in.paths import PID, Paths

# What a graceful stop may take when `worker_shutdown_timeout` gives no limit, seconds: nginx waits for ever, and a
# second signal ends it at once.
FOR_EVER = 30 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`threads` is None for one a core; `shutdown` is how long a graceful stop may take, seconds."""

    pid: str
    daemon: bool
    log: ErrorLogTerms
    threads: int | None
    shutdown: float


def settings_of(directives: Sequence[Directive], paths: Paths) -> tuple[Settings, tuple[Problem, ...]]:
    """Return what the main context says, with nginx's defaults."""
    reading = _Reading(directives)
    pid = reading.word("pid", "")
    settings = Settings(
        pid=paths.from_prefix(pid.removesuffix(";") or PID),
        daemon=reading.switch("daemon", default=True),
        log=reading.log(paths),
        threads=reading.threads(),
        shutdown=reading.seconds("worker_shutdown_timeout", FOR_EVER),
    )
    return settings, (*ignored_user(directives, severity="warning"), *reading.problems)


class _Reading:
    def __init__(self, directives: Sequence[Directive]) -> None:
        self._directives = directives
        self.problems: list[Problem] = []

    def word(self, name: str, default: str) -> str:
        one = self._one(name)
        return one.args[0] if one is not None and one.args else default

    def switch(self, name: str, *, default: bool) -> bool:
        word = self.word(name, "on" if default else "off")
        if word not in {"on", "off"}:
            self._wrong(name, f'invalid value "{word}" in "{name}" directive, it must be "on" or "off"')
        return word == "on"

    def threads(self) -> int | None:
        word = self.word("worker_processes", "1")
        if word == "auto":
            return None
        if not word.isascii() or not word.isdigit() or not int(word):
            self._wrong("worker_processes", f'invalid number "{word}" in "worker_processes" directive')
            return None
        return int(word)

    def seconds(self, name: str, default: float) -> float:
        word = self.word(name, "")
        if not word:
            return default
        found = parse_millis(word)
        if found is None:
            self._wrong(name, f'"{name}" directive invalid value')
            return default
        return found / 1000

    def log(self, paths: Paths) -> ErrorLogTerms:
        """Return the first error log that is a file or standard error."""
        for one in self._directives:
            if one.name != "error_log" or not one.args:
                continue
            path, level = one.args[0], one.args[1] if len(one.args) > 1 else "error"
            if path.startswith(("syslog:", "memory:")):
                message = f'"error_log {path}" is not written: only files and stderr are'
                self.problems.append(Problem(severity="warning", kind="not_yet", message=message, place=one.place))
                continue
            where = "" if path == "stderr" or leads_to(path) == STDERR else paths.from_prefix(path)
            return _own_log(level if level in LEVELS else "error", where)
        return _own_log("error", paths.error_log)

    def _one(self, name: str) -> Directive | None:
        return next((one for one in self._directives if one.name == name), None)

    def _wrong(self, name: str, message: str) -> None:
        one = self._one(name)
        place = None if one is None else one.place
        self.problems.append(Problem(severity="error", kind="value", message=message, place=place))


def _own_log(level: str, file_path: str) -> ErrorLogTerms:
    """Return a log as nginx writes it."""
    return ErrorLogTerms(level=level, file_path=file_path, format="nginx", no_color=True)
