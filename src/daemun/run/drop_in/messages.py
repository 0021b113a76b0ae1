"""nginx's messages: on standard error for whoever started it, and in the error log.

    nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:3
    2026/11/25 14:00:00 [emerg] 4711#4711: unknown directive "foo" in /etc/nginx/nginx.conf:3

Both until it serves; after that only the log has them (daemun.logs, form `nginx`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from daemun.errors import Problem

# The file of directives that `-g` gives.
COMMAND_LINE = "command line"
EMERG, ALERT, ERROR, WARN, NOTICE = "emerg", "alert", "error", "warn", "notice"


def tell(text: str) -> None:
    """Say something to whoever started the command."""
    sys.stderr.write(f"nginx: {text}\n")
    sys.stderr.flush()


def system_error(error: OSError) -> str:
    """Return an error of the system as nginx writes it: `(2: No such file or directory)`."""
    return f"({error.errno}: {os.strerror(error.errno or 0)})"


def opening(path: str, error: OSError) -> str:
    """Return what nginx says of a file that cannot be opened."""
    return f'open() "{path}" failed {system_error(error)}'


def sentence(problem: Problem) -> str:
    """Return a problem as nginx says it: the message, and the place at its end."""
    place = problem.place
    if place is not None and place.file == COMMAND_LINE:
        return f"{problem.message} in {COMMAND_LINE}"
    where = "" if place is None or not place.line else f" in {place.file}:{place.line}"
    return f"{problem.message}{where}"


def advice(problem: Problem) -> str:
    """Return what helps, in one line; empty when there is nothing to say."""
    meant = f"did you mean {problem.suggestion!r}?" if problem.suggestion else ""
    return " ".join(part for part in (meant, problem.remedy) if part)


class StartLog:
    """What is said before it serves: to standard error, and to the error log of `-e` as long as no other is named."""

    def __init__(self, path: str) -> None:
        self._descriptor: int | None = None
        if path:
            try:
                self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                tell(f"[{ALERT}] could not open error log file: {opening(path, error)}")

    def say(self, level: str, text: str) -> None:
        """Write one message."""
        tell(f"[{level}] {text}")
        if self._descriptor is not None:
            line = f"{time.strftime('%Y/%m/%d %H:%M:%S')} [{level}] {os.getpid()}#{os.getpid()}: {text}\n"
            os.write(self._descriptor, line.encode())

    def problems(self, problems: Iterable[Problem]) -> None:
        """Write what is wrong, and what is doubtful, with what helps."""
        for problem in problems:
            if problem.severity == "info":
                continue
            self.say(EMERG if problem.is_error else WARN, sentence(problem))
            if helps := advice(problem):
                tell(f"  {helps}")
