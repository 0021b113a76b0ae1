"""Variables of the environment to options: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS`, `DAEMUN_…` alike.

Facts (Traefik's paerser): the prefix stands in upper case; every underscore is a step, so that a name of the user's has
none; names come out in lower case; a variable whose first step is no option is passed over, for it may be anybody's,
while a mistake further down is an error. Decisions: what is passed over is a warning, unless Kubernetes or Docker set
it for a service called traefik; `DAEMUN_` wins over `TRAEFIK_`. Nothing is read from the process here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from daemun.config.document import Document
from daemun.config.search import PREFIXES, option_variables
from daemun.config.settings import Setting, document_of, steps_of, unknown_setting
from daemun.config.shape import shape_of
from daemun.errors import Problem

if TYPE_CHECKING:
    from daemun.config.section import Section

FILE = "environment"


def read_variables(environ: Mapping[str, str], model: type[Section]) -> tuple[Document, tuple[Problem, ...]]:
    """Return the options that the environment gives, and what is wrong with them."""
    problems: list[Problem] = []
    settings = list(_settings(environ, model, problems))
    document, wrong = document_of(settings, model, file=FILE)
    return document, (*problems, *wrong)


def _settings(environ: Mapping[str, str], model: type[Section], problems: list[Problem]) -> Iterator[Setting]:
    shape = shape_of(model)
    for name in option_variables(environ):
        prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
        setting = Setting(name=name, steps=_steps(name), value=environ[name], prefix=prefix, adds=False)
        if setting.steps[0] in shape.names or setting.steps[0] in shape.not_yet:
            yield setting
        else:
            problems.append(_passed_over(setting, shape.known()))


def _steps(name: str) -> tuple[str, ...]:
    return steps_of(name.partition("_")[2].lower(), separator="_")


def _passed_over(setting: Setting, known: list[str]) -> Problem:
    found = unknown_setting(setting, 0, known)
    return Problem(
        severity="warning",
        kind="unknown",
        message=f"{setting.name} is no option and is ignored",
        place=found.place,
        subject=found.subject,
        found=found.found,
        suggestion=found.suggestion,
    )
