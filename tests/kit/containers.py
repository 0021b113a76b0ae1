"""Containers made up for tests of what their labels mean; those of a real engine are made by docker.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daemun.errors import Problem, render_problem
from daemun.providers.docker.configuration import configuration_of
from daemun.providers.docker.container import Container, NetworkAddress, Port
from daemun.traefik.docker_options import DockerOptions
from daemun.traefik.dynamic import Dynamic


def container(
    name: str = "web",
    labels: Mapping[str, str] | None = None,
    *,
    ports: Sequence[int] = (8000,),
    networks: Mapping[str, str] | None = None,
    **others: Any,
) -> Container:
    """Return a running container in one network, exposing one port; an address with a colon is IPv6."""
    addresses = {"front": "10.0.0.1"} if networks is None else networks
    return Container(
        id=f"id-{name}",
        name=name,
        labels=dict(labels or {}),
        ports=tuple(Port(number=port, protocol="tcp") for port in ports),
        networks={
            network: NetworkAddress(ipv6=address) if ":" in address else NetworkAddress(ipv4=address)
            for network, address in addresses.items()
        },
        **others,
    )


def labelled(name: str = "web", /, **labels: str) -> Container:
    """Return a container with labels below `traefik.http`, written with `__` for a dot."""
    return container(name, {f"traefik.http.{label.replace('__', '.')}": value for label, value in labels.items()})


def read(*containers: Container, provider: str = "docker", host_address: str = "127.0.0.1", **options: Any) -> Dynamic:
    """Return what containers ask for, when nothing is wrong with it."""
    dynamic, problems = both(*containers, provider=provider, host_address=host_address, **options)
    assert [render_problem(problem) for problem in problems if problem.severity != "info"] == []
    return dynamic


def both(
    *containers: Container, provider: str = "docker", host_address: str = "127.0.0.1", **options: Any
) -> tuple[Dynamic, list[Problem]]:
    """Return what containers ask for, and every Problem."""
    given = DockerOptions(**options)
    return configuration_of(containers, options=given, provider=provider, host_address=host_address)


def servers(dynamic: Dynamic, name: str) -> list[str]:
    """Return the URLs of a service's servers."""
    balancer = dynamic.services[name].value.load_balancer
    assert balancer is not None
    return [server.url for server in balancer.servers]


def said(problems: Sequence[Problem]) -> list[str]:
    """Return problems as people read them."""
    return [render_problem(problem) for problem in problems]
