"""Containers to the dynamic configuration of a Docker provider. Pure: the same containers give the same, in any order.

    [Container] ── exposure ──► labels ── reach ──► services ──► routers ──► a Dynamic each ── merge ──► Dynamic

Facts (Traefik v3.7): `<service>_<project>` of Compose, else the container's name, names what a container does not name
itself; a container that asks for TCP or UDP alone gets no router for HTTP. References between entries are not followed
here (lowering does that), and no Docker engine is asked for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from daemun.errors import Place, Problem
from daemun.providers.docker.address import Finder, Surroundings
from daemun.providers.docker.container import Container
from daemun.providers.docker.exposure import Asked, asked_of, hidden, is_serving
from daemun.providers.docker.label_document import document_of
from daemun.providers.docker.labels import Read, Setting
from daemun.providers.docker.merge import merge
from daemun.providers.docker.reach import within_reach
from daemun.providers.docker.routers import Defaults, with_rules
from daemun.providers.docker.services import with_servers
from daemun.traefik.docker_options import DockerOptions
from daemun.traefik.dynamic import Dynamic, build_dynamic
from daemun.traefik.go_template import parse_template
from daemun.traefik.go_template_does import normalize
from daemun.traefik.names import qualified

_COMPOSE = ("com.docker.compose.service", "com.docker.compose.project")
_ROUTED = frozenset({"http", "tcp", "udp", "tls"})


def configuration_of(
    containers: Sequence[Container], *, options: DockerOptions, provider: str, host_address: str = "127.0.0.1"
) -> tuple[Dynamic, list[Problem]]:
    """Return what the containers ask for, and every Problem.

    Give all containers, those too that do not run or serve nothing: others may share their network. `host_address` is
    where a container in the host's network is reached.
    """
    ordered = sorted(containers, key=lambda one: (one.name, one.id))
    asked = {one.id: asked_of(one, options=options, provider=provider) for one in ordered}
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
        problems.extend(one.read.problems)
        reason = hidden(container, one, options=options)
        if reason is not None:
            problems.append(reason)
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


def _dynamic(
    container: Container, asked: Asked, around: Surroundings, options: DockerOptions, provider: str
) -> tuple[Dynamic, list[Problem]]:
    """Return what one container asks for."""
    file, own_name = asked.file, service_name(container)
    read = Read(settings=[one for one in asked.read.settings if one.lower[0] in _ROUTED], broken=set(asked.read.broken))
    settings = within_reach(read, file=file)
    if not _only_other_protocols(read.settings):
        finder = Finder(container=container, around=around, place=Place(file=file))
        serving = is_serving(container)
        settings = with_servers(settings, own_name=own_name, finder=finder, serving=serving, read=read, file=file)
        read.problems.extend(finder.problems)
        template = parse_template(options.default_rule)
        defaults = Defaults(container=container, own_name=own_name, template=template, file=file)
        settings = with_rules(settings, defaults=defaults, read=read)
    dynamic, problems = build_dynamic([document_of(settings, file=file, read=read)], provider=provider)
    broken = {(kind, qualified(name, provider)) for kind, name in read.broken if name}
    return _without(dynamic, broken), [*read.problems, *problems]


def _only_other_protocols(settings: Sequence[Setting]) -> bool:
    """Tell whether a container asks for TCP or UDP and says nothing of HTTP."""
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
