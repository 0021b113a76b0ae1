"""Routers of one container: what their labels leave out comes from the default rule and from the one service.

Facts (Traefik v3.7): a container without a router has one of its own name, unless it has several services; a router
without a rule has the default rule; one without a service has the container's, if it is the only one.
"""

from __future__ import annotations

from collections.abc import Sequence

from daemun.config.section import subject
from daemun.errors import Place, Problem, Severity
from daemun.providers.docker.container import Container
from daemun.providers.docker.labels import Read, Setting
from daemun.providers.docker.services import names_of
from daemun.traefik.go_template import Template, TemplateError
from daemun.traefik.go_template_values import Value


def with_rules(
    settings: Sequence[Setting], *, own_name: str, container: Container, template: Template, read: Read, file: str
) -> list[Setting]:
    """Return the settings with a rule and a service for each router, adding a router if there is none.

    What cannot be done is said in `read`, and spoils its router.
    """
    kept = list(settings)
    services = names_of("service", settings, read)
    routers = names_of("router", settings, read)
    if not routers and len(services) > 1:
        message = f"no router is made for the container {container.name!r}: it has several services, {_list(services)}"
        remedy = f"give each a router: traefik.http.routers.{services[0]}.service={services[0]}"
        read.problems.append(_problem("info", "hint", message, place=Place(file=file), remedy=remedy))
    elif not routers and ("service", services[0]) not in read.broken:
        routers = [own_name]
    for name in filter(None, routers):
        path = ("http", "routers", name)
        given = {
            setting.lower[3]: setting for setting in settings if setting.lower[:3] == _lower(path) and setting.path[3:]
        }
        place = Place(file=next((f"{file} ({one.where})" for one in given.values()), file))
        if not _value(given, "rule"):
            kept = [one for one in kept if one is not given.get("rule")]
            rule = _default_rule(container, own_name, template, name=name, place=place, read=read)
            kept += [Setting(path=(*path, "rule"), value=rule, where="defaultRule")] if rule else []
        if not _value(given, "service"):
            kept = [one for one in kept if one is not given.get("service")]
            if len(services) > 1:
                message = f"the router {name!r} names no service, and the container has several: {_list(services)}"
                remedy = f"choose one: traefik.http.routers.{name}.service={services[0]}"
                problem = _problem("error", "reference", message, place=place, name=subject(path), remedy=remedy)
                read.problems.append(problem)
                read.spoil(path)
            else:
                kept.append(Setting(path=(*path, "service"), value=services[0], where=""))
    return kept


def _default_rule(
    container: Container, own_name: str, template: Template, *, name: str, place: Place, read: Read
) -> str:
    """Return the default rule of a container, "" when there is none."""
    data: dict[str, Value] = {"Name": own_name, "ContainerName": container.name, "Labels": dict(container.labels)}
    path = ("http", "routers", name)
    try:
        rule = template.execute(data)
    except TemplateError as error:
        message = f"the default rule of the router {name!r}: {error.message}"
        problem = _problem("error", "rule", message, place=place, name=subject((*path, "rule")), remedy=error.remedy)
    else:
        if rule.strip():
            return rule
        message = f"the router {name!r} has no rule, and the default rule is empty for this container"
        remedy = f"write traefik.http.routers.{name}.rule=Host(`example.com`)"
        problem = _problem("error", "missing", message, place=place, name=subject((*path, "rule")), remedy=remedy)
    read.problems.append(problem)
    read.spoil(path)
    return ""


def _value(given: dict[str | int, Setting], option: str) -> str:
    setting = given.get(option)
    return (setting.value or "").strip() if setting is not None else ""


def _lower(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(step.lower() for step in path)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _problem(severity: Severity, kind: str, message: str, *, place: Place, name: str = "", remedy: str = "") -> Problem:
    return Problem(severity=severity, kind=kind, message=message, place=place, subject=name, remedy=remedy)
