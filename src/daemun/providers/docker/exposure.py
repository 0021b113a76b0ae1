"""Which containers are routed to, and why others are not: `traefik.enable`, constraints, state and health.

Facts (Traefik v3.7), in this order: a container is left out without `traefik.enable=true` where containers are not
exposed by default; by the constraints; when it does not run (unless `traefik.docker.allowNonRunning`); and while its
health check does not say healthy (unless allowEmptyServices). Decisions: what is hidden, and by what, is said as info,
though not of a stopped container, for nobody expects it; an unknown section (`traefik.htpp`) is said even of a hidden
one, for that may be the mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from daemun.config.section import Section, read_section, unknown_problem
from daemun.errors import Place, Problem
from daemun.providers.docker.address import DockerLabels
from daemun.providers.docker.container import Container
from daemun.providers.docker.label_document import LabelDocument, document_of
from daemun.providers.docker.labels import Read, read_labels
from daemun.providers.said import Seen
from daemun.traefik.constraints import parse_constraints, satisfied
from daemun.traefik.docker_options import DockerOptions
from daemun.traefik.names import DOCKER
from daemun.traefik.rules import matches_of

_SECTIONS = ("enable", "docker", "http", "tcp", "udp", "tls")
_V1 = "this was Traefik v1"
_ELSEWHERE = {
    "frontend": f"{_V1}: write traefik.http.routers.<name>.rule",
    "backend": f"{_V1}: write traefik.http.services.<name>.loadbalancer",
    "port": f"{_V1}: write traefik.http.services.<name>.loadbalancer.server.port",
    "protocol": f"{_V1}: write traefik.http.services.<name>.loadbalancer.server.scheme",
    "weight": f"{_V1}: write traefik.http.services.<name>.loadbalancer.server.weight",
    "tags": f"{_V1}: any label serves providers.docker.constraints",
    "swarm": "this is for services of Docker Swarm, which this provider does not read",
}


class ContainerLabels(Section):
    """What `traefik.…` says of the container itself."""

    enable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a container's labels say: all of them, whether it is exposed, and its options for this provider."""

    file: str
    read: Read
    enable: bool
    docker: DockerLabels


def file_of(container: Container, provider: str) -> str:
    """Return what stands for a file in the places of a container's labels."""
    return f"container {container.name}" if provider == DOCKER else f"container {container.name} of {provider}"


def asked_of(container: Container, *, options: DockerOptions, provider: str) -> Asked:
    """Read a container's labels as far as its exposure goes."""
    file = file_of(container, provider)
    read = read_labels(container.labels, file=file)
    document = document_of(read.settings, file=file, read=read)
    read.problems.extend(_unknown(read, document, options))
    own = {name: tree for name, tree in document.data.items() if name.lower() == "enable"}
    labels, said = read_section(ContainerLabels, document, path=(), tree=own)
    read.problems.extend(said)
    docker, said = read_section(DockerLabels, document, path=("docker",), tree=document.tree(("docker",)) or {})
    read.problems.extend(said)
    enable = False if labels is None else options.exposed_by_default if labels.enable is None else labels.enable
    return Asked(file=file, read=read, enable=enable, docker=docker or DockerLabels())


def _unknown(read: Read, document: LabelDocument, options: DockerOptions) -> Iterator[Problem]:
    """Say which labels have no meaning: people also write some of their own, for constraints."""
    constraints = parse_constraints(options.constraints)
    theirs = {match.arguments[0] for match in matches_of(constraints)} if constraints is not None else set()
    for setting in read.settings:
        name = str(setting.lower[0])
        if name in _SECTIONS or setting.where.removeprefix("label ") in theirs:
            continue
        remedy = _ELSEWHERE.get(name, "")
        problem = unknown_problem(document, setting.path[:1], known=list(_SECTIONS), remedy=remedy)
        yield problem if remedy or problem.suggestion else replace(problem, severity="info")


def is_serving(container: Container) -> bool:
    """Tell whether requests may go to a container: it runs, and its health check, if it has one, says healthy."""
    return container.running and container.health in {"", "healthy"}


def hidden(container: Container, asked: Asked, *, options: DockerOptions) -> Problem | None:
    """Return why a container that is looked at is not routed to, None when it is."""
    name = container.name
    if not asked.enable:
        told = next((one for one in asked.read.settings if one.lower == ("enable",)), None)
        if told is not None:
            return _info(f"the container {name!r} is not routed to: its {told.where} says {told.value!r}", asked)
        message = f"the container {name!r} is not routed to: it lacks the label traefik.enable=true"
        return _info(message, asked, remedy="add it, or set providers.docker.exposedByDefault")
    if not satisfied(parse_constraints(options.constraints), container.labels):
        message = (
            f"the container {name!r} is not routed to: its labels are not what providers.docker.constraints asks for"
        )
        return _info(message, asked)
    empty = options.allow_empty_services or asked.docker.allow_non_running
    if not empty and not is_serving(container):
        return _info(f"the container {name!r} is not routed to while its health is {container.health}", asked)
    return None


def seen(containers: Iterable[Container], problems: Iterable[Problem], *, provider: str) -> tuple[Seen, ...]:
    """Return every container and whether it is routed to, from what was said of them (`hidden`)."""
    reasons = {one.place.file: one for one in problems if one.kind == "hidden" and one.place is not None}
    found: list[Seen] = []
    for container in containers:
        reason = reasons.get(file_of(container, provider))
        stopped = "" if container.running else f"the container {container.name!r} is not routed to: it does not run"
        found.append(
            Seen(
                name=container.name,
                provider=provider,
                running=container.running,
                hidden=stopped if reason is None else reason.message,
                remedy="" if reason is None else reason.remedy,
            )
        )
    return tuple(found)


def _info(message: str, asked: Asked, *, remedy: str = "") -> Problem:
    place = Place(file=asked.file)
    return Problem(severity="info", kind="hidden", message=message, place=place, subject="enable", remedy=remedy)
