"""A container, as far as routing needs to know it: read from what a Docker engine says of it.

    GET /containers/{id}/json ── container_of ──► Container ──► configuration_of

Facts (Docker Engine API): `Name` begins with `/`; `State.Health` is absent without a health check, or its status is
`none`; `NetworkSettings.Ports` maps `8000/tcp` to its bindings, or to null when the port is only exposed; it is empty
for a stopped container and for one in the host's network. No other part of the answer is kept, so that two Containers
are equal when nothing changed that matters. No I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Health = Literal["", "starting", "healthy", "unhealthy"]
_HEALTHS: dict[str, Health] = {"starting": "starting", "healthy": "healthy", "unhealthy": "unhealthy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAddress:
    """A container's addresses in one network, "" where it has none."""

    ipv4: str = ""
    ipv6: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """An address of the host that leads to a port; `host_ip` may be "" or 0.0.0.0 for all of them."""

    host_ip: str
    host_port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port that the image or the container exposes."""

    number: int
    protocol: str
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container. `health` is "" without a health check; `node_address` is known to old Swarm engines only."""

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    running: bool = True
    health: Health = ""
    network_mode: str = ""
    networks: Mapping[str, NetworkAddress] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    node_address: str = ""


def container_of(inspect: Mapping[str, object]) -> Container:
    """Return the container that an inspect answer describes. Raises ValueError when it has no id."""
    identity = _text(inspect.get("Id"))
    if not identity:
        message = "the Docker engine described a container without an id"
        raise ValueError(message)
    state = _table(inspect.get("State"))
    settings = _table(inspect.get("NetworkSettings"))
    labels = _table(_table(inspect.get("Config")).get("Labels"))
    return Container(
        id=identity,
        name=_text(inspect.get("Name")).removeprefix("/"),
        labels=MappingProxyType({name: _text(value) for name, value in sorted(labels.items())}),
        running=_running(state),
        health=_HEALTHS.get(_text(_table(state.get("Health")).get("Status")), ""),
        network_mode=_text(_table(inspect.get("HostConfig")).get("NetworkMode")),
        networks=MappingProxyType(
            {name: _address(_table(value)) for name, value in sorted(_table(settings.get("Networks")).items())}
        ),
        ports=_ports(_table(settings.get("Ports"))),
        node_address=_text(_table(inspect.get("Node")).get("IP")),
    )


def _running(state: Mapping[str, object]) -> bool:
    """Tell whether it runs: a paused one answers nobody, though `Running` says true of it."""
    status = _text(state.get("Status"))
    return status == "running" if status else state.get("Running") is True


def _address(network: Mapping[str, object]) -> NetworkAddress:
    return NetworkAddress(ipv4=_text(network.get("IPAddress")), ipv6=_text(network.get("GlobalIPv6Address")))


def _ports(ports: Mapping[str, object]) -> tuple[Port, ...]:
    """Return the ports, lowest first."""
    found: list[Port] = []
    for name, bindings in ports.items():
        number, _, protocol = name.partition("/")
        if number.isascii() and number.isdigit():
            bound = bindings if isinstance(bindings, list) else []
            found.append(
                Port(number=int(number), protocol=protocol.lower() or "tcp", bindings=tuple(map(_binding, bound)))
            )
    return tuple(sorted(found, key=lambda port: (port.number, port.protocol)))


def _binding(binding: object) -> Binding:
    table = _table(binding)
    return Binding(host_ip=_text(table.get("HostIp")), host_port=_text(table.get("HostPort")))


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
