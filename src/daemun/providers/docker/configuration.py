"""Containers to the dynamic configuration of a Docker provider. Pure: the same containers give the same, in any order.

    [Container] ── which are exposed? ──► labels ──► reach ──► services ──► routers ──► Dynamic of each ──► merged

Facts (Traefik v3.7): a container is left out without `traefik.enable` where containers are not exposed by default, by
the constraints, when it does not run (unless `traefik.docker.allowNonRunning`), and while its health check does not say
healthy (unless allowEmptyServices). Decisions: what is hidden, and by what, is said as info; a stopped container is
not, for nobody expects it. Nothing is asked of a Docker engine here, and references between entries are not followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from daemun.config.section import Section, read_section, unknown_problem
from daemun.errors import Place, Problem
from daemun.providers.docker.address import DockerLabels, Finder, Surroundings
from daemun.providers.docker.container import Container
from daemun.providers.docker.labels import Read, Setting, document_of, read_labels
from daemun.providers.docker.merge import merge
from daemun.providers.docker.reach import within_reach
from daemun.providers.docker.routers import with_rules
from daemun.providers.docker.services import with_servers
from daemun.traefik.docker_options import DOCKER, DockerOptions
from daemun.traefik.dynamic import Dynamic, build_dynamic
from daemun.traefik.go_template import parse_template
from daemun.traefik.go_template_does import normalize
from daemun.traefik.names import qualified

_SECTIONS = ("enable", "docker", "http", "tcp", "udp", "tls")
_COMPOSE = ("com.docker.compose.service", "com.docker.compose.project")
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
class _Asked:
    """What a container's labels ask of the provider."""

    file: str
    read: Read
    enable: bool
    docker: DockerLabels


def configuration_of(
    containers: Sequence[Container], *, options: DockerOptions, provider: str, host_address: str = "127.0.0.1"
) -> tuple[Dynamic, list[Problem]]:
    """Return what the containers ask for, and every Problem.

    Give all containers, those too that do not run or serve nothing: others may share their network. `host_address` is
    where a container in the host's network is reached. Raises TemplateError or RuleError when the default rule or the
    constraints cannot be read; whoever reads the options checks them first.
    """
    ordered = sorted(containers, key=lambda one: (one.name, one.id))
    asked = {one.id: _asked(one, options, provider) for one in ordered}
    around = Surroundings(
        containers=ordered,
        network_of=lambda one: asked[one.id].docker.network or "",
        network=options.network,
        use_bind_port_ip=options.use_bind_port_ip,
        host=host_address,
    )
    problems: list[Problem] = []
    found: list[Dynamic] = []
    for container in ordered:
        one = asked[container.id]
        if not container.running and not one.docker.allow_non_running:
            continue
        hidden = _hidden(container, one, options)
        problems.extend(one.read.problems)
        if hidden is not None:
            problems.append(hidden)
            continue
        dynamic, said = _dynamic(container, one, around, options, provider)
        found.append(dynamic)
        problems.extend(said)
    dynamic, said = merge(found, provider=provider)
    return dynamic, list(dict.fromkeys([*problems, *said]))


def service_name(container: Container) -> str:
    """Return the name that a container's own service and router have."""
    service, project = (container.labels.get(label, "") for label in _COMPOSE)
    return normalize(f"{service}_{project}" if service and project else container.name)


def _asked(container: Container, options: DockerOptions, provider: str) -> _Asked:
    file = f"container {container.name}" if provider == DOCKER else f"container {container.name} of {provider}"
    read = read_labels(container.labels, file=file)
    document = document_of(read.settings, file=file, read=read)
    for setting in read.settings:
        name = setting.lower[0]
        if name not in _SECTIONS:
            remedy = _ELSEWHERE.get(str(name), "")
            read.problems.append(unknown_problem(document, setting.path[:1], known=list(_SECTIONS), remedy=remedy))
    own = {name: tree for name, tree in document.data.items() if name.lower() == "enable"}
    labels, said = read_section(ContainerLabels, document, path=(), tree=own)
    read.problems.extend(said)
    docker, said = read_section(DockerLabels, document, path=("docker",), tree=document.tree(("docker",)) or {})
    read.problems.extend(said)
    enable = False if labels is None else options.exposed_by_default if labels.enable is None else labels.enable
    return _Asked(file=file, read=read, enable=enable, docker=docker or DockerLabels())


def _hidden(container: Container, asked: _Asked, options: DockerOptions) -> Problem | None:
    """Return why a container is not routed to, None when it is."""
    name = container.name
    told = [setting for setting in asked.read.settings if setting.lower[0] == "enable"]
    if not asked.enable:
        if told:
            message, remedy = f"the container {name!r} is not routed to: it says traefik.enable={told[0].value}", ""
        else:
            message = f"the container {name!r} is not routed to: it lacks the label traefik.enable=true"
            remedy = "add it, or set providers.docker.exposedByDefault"
        return _info(message, asked, remedy=remedy)
    if (
        not options.allow_empty_services
        and not asked.docker.allow_non_running
        and container.health not in {"", "healthy"}
    ):
        return _info(f"the container {name!r} is not routed to while it is {container.health}", asked)
    return None


def _dynamic(
    container: Container, asked: _Asked, around: Surroundings, options: DockerOptions, provider: str
) -> tuple[Dynamic, list[Problem]]:
    """Return what one container asks for."""
    file, own_name = asked.file, service_name(container)
    read = Read(settings=[one for one in asked.read.settings if one.lower[0] in {"http", "tcp", "udp", "tls"}])
    read.broken |= asked.read.broken
    settings = within_reach(read, file=file)
    if not _only_other_protocols(read.settings):
        finder = Finder(container=container, around=around, place=Place(file=file))
        serving = container.running and container.health in {"", "healthy"}
        settings = with_servers(settings, own_name=own_name, finder=finder, serving=serving, read=read, file=file)
        template = parse_template(options.default_rule)
        settings = with_rules(settings, own_name=own_name, container=container, template=template, read=read, file=file)
        read.problems.extend(finder.problems)
    dynamic, problems = build_dynamic([document_of(settings, file=file, read=read)], provider=provider)
    broken = {(kind, qualified(name, provider)) for kind, name in read.broken}
    return _without(dynamic, broken), [*read.problems, *problems]


def _only_other_protocols(settings: Sequence[Setting]) -> bool:
    """Tell whether a container asks for TCP or UDP and says nothing of HTTP: then it gets no router for HTTP."""
    sections = {setting.lower[0] for setting in settings}
    return "http" not in sections and bool(sections & {"tcp", "udp"})


def _without(dynamic: Dynamic, broken: set[tuple[str, str]]) -> Dynamic:
    """Return the configuration without what has errors in its labels."""
    return replace(
        dynamic,
        routers={name: entry for name, entry in dynamic.routers.items() if ("router", name) not in broken},
        rules={name: rule for name, rule in dynamic.rules.items() if ("router", name) not in broken},
        services={name: entry for name, entry in dynamic.services.items() if ("service", name) not in broken},
        middlewares={name: entry for name, entry in dynamic.middlewares.items() if ("middleware", name) not in broken},
        broken=dynamic.broken | broken,
    )


def _info(message: str, asked: _Asked, *, remedy: str = "") -> Problem:
    return Problem(
        severity="info", kind="hidden", message=message, place=Place(file=asked.file), subject="enable", remedy=remedy
    )
