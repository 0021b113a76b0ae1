"""Routers of one container: what their labels leave out comes from the default rule and from the one service.

Facts (Traefik v3.7): a container without a router has one of its own name, unless it has several services; a router
without a rule has the default rule; one without a service has the container's, if it is the only one. Decision: where
the default rule is empty for a container that defines no router, that is worth knowing and no error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemun.config.document import Path
from daemun.config.section import subject
from daemun.errors import Place, Problem, Severity
from daemun.providers.docker.container import Container
from daemun.providers.docker.labels import Read, Setting, owner
from daemun.providers.docker.services import names_of
from daemun.traefik.go_template import Template, TemplateError
from daemun.traefik.go_template_values import Value


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What routers get that say nothing: the name of a container's own router, and the default rule."""

    container: Container
    own_name: str
    template: Template
    file: str

    def rule(self) -> str:
        """Return the default rule. Raises TemplateError."""
        labels: dict[str, Value] = dict(self.container.labels)
        return self.template.execute({"Name": self.own_name, "ContainerName": self.container.name, "Labels": labels})


def with_rules(settings: Sequence[Setting], *, defaults: Defaults, read: Read) -> list[Setting]:
    """Return the settings with a rule and a service for each router, adding a router if there is none.

    What cannot be done is said in `read`, and spoils its router.
    """
    named = names_of("service", settings, read)
    services = [name for name in named if name]
    routers = names_of("router", settings, read)
    implied = not routers
    if implied and len(services) > 1:
        message = f"no router is made for the container {defaults.container.name!r}: it has several services"
        remedy = f"give each a router: traefik.http.routers.{services[0]}.service={services[0]}"
        place = Place(file=defaults.file)
        read.problems.append(_problem("info", "hint", f"{message}, {', '.join(services)}", place, remedy=remedy))
    elif implied and len(named) == 1 and ("service", named[0]) not in read.broken:
        routers = [defaults.own_name]
    kept = [one for one in settings if (owner(one.path) or ("", ""))[0] != "router"]
    for name in filter(None, routers):
        own = [one for one in settings if owner(one.path) == ("router", name)]
        kept += _completed(own, name=name, services=services, defaults=defaults, read=read, implied=implied)
    return kept


def _completed(
    own: Sequence[Setting], *, name: str, services: Sequence[str], defaults: Defaults, read: Read, implied: bool
) -> list[Setting]:
    """Return the settings of one router with a rule and a service; none when there can be no rule."""
    path: Path = ("http", "routers", name)
    place = Place(file=f"{defaults.file} ({own[0].where})" if own else defaults.file)
    empty = [one for one in own if one.lower[3:] in {("rule",), ("service",)} and not (one.value or "").strip()]
    kept = [one for one in own if one not in empty]
    given = {one.lower[3] for one in kept if len(one.path) > 3}
    if "rule" not in given:
        rule, problem = _default_rule(name, defaults, place, severity="info" if implied else "error")
        if problem is not None:
            read.problems.append(problem)
            read.spoil(path)
            return []
        kept.append(Setting(path=(*path, "rule"), value=rule, where="defaultRule"))
    if "service" not in given and not services:
        read.spoil(path)  # the name of the one that was meant could not be read
    elif "service" not in given and len(services) > 1:
        message = f"the router {name!r} names no service, and the container has several: {', '.join(services)}"
        remedy = f"choose one: traefik.http.routers.{name}.service={services[0]}"
        read.problems.append(_problem("error", "reference", message, place, path=path, remedy=remedy))
        read.spoil(path)
    elif "service" not in given:
        kept.append(Setting(path=(*path, "service"), value=services[0]))
    return kept


def _default_rule(name: str, defaults: Defaults, place: Place, *, severity: Severity) -> tuple[str, Problem | None]:
    """Return the default rule, or why there is none."""
    path: Path = ("http", "routers", name, "rule")
    try:
        rule = defaults.rule()
    except TemplateError as error:
        message = f"the default rule of the router {name!r}: {error.message}"
        return "", _problem("error", "rule", message, place, path=path, remedy=error.remedy)
    if rule.strip():
        return rule, None
    message = f"the router {name!r} has no rule, and the default rule is empty for this container"
    remedy = f"write traefik.http.routers.{name}.rule=Host(`example.com`)"
    return "", _problem(severity, "missing", message, place, path=path, remedy=remedy)


def _problem(
    severity: Severity, kind: str, message: str, place: Place, *, path: Path = (), remedy: str = ""
) -> Problem:
    return Problem(severity=severity, kind=kind, message=message, place=place, subject=subject(path), remedy=remedy)
