"""The logs of Traefik's static configuration, typed, with Traefik's defaults.

`log` is the control plane's own log, `accessLog` has a line for each request and is written by the
engine. One of the models static.py is made of; formats become templates when lowering.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from daemun.config.durations import Seconds
from daemun.config.section import Names, Section, fold_case

Mode = Annotated[Literal["keep", "drop", "redact"], BeforeValidator(fold_case)]
KeepOrDrop = Annotated[Literal["keep", "drop"], BeforeValidator(fold_case)]
Level = Annotated[Literal["trace", "debug", "info", "warn", "error", "fatal", "panic"], BeforeValidator(fold_case)]
_STATUS = re.compile(r"^[1-5]\d\d(-[1-5]\d\d)?$")


def _statuses(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not _STATUS.match(value):
            message = f"{value!r} is no status: write 404 or a range such as 500-599"
            raise ValueError(message)
    return values


class Log(Section):
    """The control plane's own log."""

    not_yet: ClassVar[tuple[str, ...]] = ("maxSize", "maxAge", "maxBackups", "compress", "otlp")
    level: Level = "error"
    format: Annotated[Literal["common", "json"], BeforeValidator(fold_case)] = "common"
    file_path: str = ""
    no_color: bool = False


class AccessLogFilters(Section):
    """Which requests get a line: any of these makes one."""

    status_codes: Annotated[Names, AfterValidator(_statuses)] = ()
    retry_attempts: bool = False
    min_duration: Seconds = 0.0


class FieldHeaders(Section):
    """Whether header fields are logged."""

    default_mode: Mode = "drop"
    names: dict[str, Mode] = {}


class FieldQueryParameters(Section):
    """Whether the query is logged."""

    default_mode: KeepOrDrop = "keep"


class AccessLogFields(Section):
    """Which fields a line has."""

    default_mode: KeepOrDrop = "keep"
    names: dict[str, Mode] = {}
    headers: FieldHeaders = FieldHeaders()
    query_parameters: FieldQueryParameters = FieldQueryParameters()


class AccessLog(Section):
    """A line for each request."""

    not_yet: ClassVar[tuple[str, ...]] = ("otlp", "dualOutput")
    file_path: str = ""
    format: Annotated[Literal["common", "json", "genericclf"], BeforeValidator(fold_case)] = "common"
    buffering_size: int = Field(default=0, ge=0)
    filters: AccessLogFilters = AccessLogFilters()
    fields_: AccessLogFields = Field(default=AccessLogFields(), alias="fields")
    add_internals: bool = False
