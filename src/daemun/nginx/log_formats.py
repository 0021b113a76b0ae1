"""`log_format`, `access_log` and `error_log`."""

from __future__ import annotations

from dataclasses import dataclass

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.plan.scalars import Id


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLog:
    """Where nginx's own log goes; `level` is nginx's word (`error`, `warn` …)."""

    path: str
    level: str


def access_logs(level: Level, making: Making) -> tuple[Id, ...]:
    """Return the access logs of a level, added when they are new."""
    raise NotImplementedError


def error_log(level: Level, making: Making) -> ErrorLog:
    """Return the error log of a level (the first when it has several)."""
    raise NotImplementedError
