"""Where a container is reached: its address and port, as Traefik chooses them.

Facts (Traefik v3.7): the named network's address, else the host's for a container in the host's network, else the
address of the container whose network is shared, else that of any network; IPv4 before IPv6. The port is the label's,
else the lowest exposed one. With useBindPortIP the host's binding of that port, unless it is of all addresses.
Decisions: where Traefik takes any network, we take the first by name, and say that none was named; a port for HTTP is
one of TCP. Pure: what a name such as host.docker.internal means is an argument.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemun.config.section import Section
from daemun.errors import Place, Problem, Severity, nearest
from daemun.providers.docker.container import Container

_CONTAINER_MODE = "container:"
# A container that shares a network with one that shares a network … longer chains are a circle.
_MOST_HOPS = 8


class Unreachable(Exception):
    """Why a container cannot be reached."""

    def __init__(self, message: str, *, remedy: str = "", port: bool = False) -> None:
        """Say why; `port` tells that only a port is missing."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.port = port


class DockerLabels(Section):
    """What `traefik.docker.…` says of a container."""

    elsewhere = {"lbswarm": "this is for services of Docker Swarm, which this provider does not read"}
    network: str | None = None
    allow_non_running: bool = False


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an address depends on beside its container.

    `network_of` tells which network a container names by its own label; `host` is where a container in the host's
    network is reached.
    """

    containers: Sequence[Container]
    network_of: Callable[[Container], str]
    network: str = ""
    use_bind_port_ip: bool = False
    host: str = "127.0.0.1"


@dataclass(kw_only=True)
class Finder:
    """Finds addresses of one container, and says once each what is doubtful about them."""

    container: Container
    around: Surroundings
    place: Place
    problems: list[Problem] = field(default_factory=list)

    def authority(self, port: int | None) -> str:
        """Return `host:port` for a URL. Raises Unreachable."""
        chosen = port if port is not None else lowest_port(self.container)
        if chosen is None:
            raise Unreachable(
                f"the container {self.container.name!r} exposes no TCP port, and none is named", port=True
            )
        if self.around.use_bind_port_ip:
            bound = self._bound(chosen)
            if bound:
                return bound
        address = self._address(self.container, "", _MOST_HOPS)
        return f"{_in_url(address)}:{chosen}"

    def _bound(self, port: int) -> str:
        name = self.container.name
        bindings = [one for exposed in self.container.ports if exposed.number == port for one in exposed.bindings]
        usable = [one for one in bindings if _is_one_address(one.host_ip) and one.host_port]
        if usable:
            return f"{_in_url(usable[0].host_ip)}:{usable[0].host_port}"
        why = f"is bound to {bindings[0].host_ip or 'all addresses'}" if bindings else "is not bound to the host"
        self._say("info", f"port {port} of the container {name!r} {why}: its own address is used")
        return ""

    def _address(self, container: Container, inherited: str, hops: int) -> str:
        """Return the address of a container, following those whose network it shares."""
        wanted = self.around.network_of(container) or inherited or self.around.network
        found = container.networks.get(wanted) if wanted else None
        if found is not None and (address := found.ipv4 or found.ipv6):
            return address
        if container.network_mode == "host":
            return container.node_address or self.around.host
        if container.network_mode.startswith(_CONTAINER_MODE):
            return self._shared(container, wanted, hops)
        addresses = {name: one.ipv4 or one.ipv6 for name, one in sorted(container.networks.items())}
        reachable = {name: address for name, address in addresses.items() if address}
        if not reachable:
            raise Unreachable(f"the container {container.name!r} has no address in any network")
        first = next(iter(reachable))
        self._doubt(container, wanted, first, list(reachable))
        return reachable[first]

    def _shared(self, container: Container, wanted: str, hops: int) -> str:
        other = self._container(container.network_mode.removeprefix(_CONTAINER_MODE))
        if other is None or hops == 0:
            message = f"the container {container.name!r} shares the network of a container that is not there"
            raise Unreachable(message)
        return self._address(other, wanted, hops - 1)

    def _container(self, reference: str) -> Container | None:
        """Find a container by its id or its name, as `docker run --network container:…` takes them."""
        for one in self.around.containers:
            if reference in {one.id, one.name}:
                return one
        return next((one for one in self.around.containers if reference and one.id.startswith(reference)), None)

    def _doubt(self, container: Container, wanted: str, first: str, names: list[str]) -> None:
        """Say that a network was chosen that nobody named."""
        name = container.name
        if wanted:
            self._say(
                "warning",
                f"the container {name!r} is in no network {wanted!r}: {first!r} is used",
                remedy="Compose puts the project's name before a network's, as in shop_front",
                suggestion=nearest(wanted, names),
            )
        elif len(names) > 1:
            listed = ", ".join(names)
            self._say(
                "warning",
                f"the container {name!r} is in several networks ({listed}) and none is named: {first!r} is used",
                remedy=f"say which one this proxy shares with it, by the label traefik.docker.network={first}",
            )

    def _say(self, severity: Severity, message: str, *, remedy: str = "", suggestion: str = "") -> None:
        problem = Problem(
            severity=severity,
            kind="hint" if severity == "info" else "value",
            message=message,
            place=self.place,
            subject="docker.network" if severity == "warning" else "",
            remedy=remedy,
            suggestion=suggestion,
        )
        if problem not in self.problems:
            self.problems.append(problem)


def lowest_port(container: Container) -> int | None:
    """Return the lowest TCP port that a container exposes."""
    return min((port.number for port in container.ports if port.protocol == "tcp"), default=None)


def _is_one_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address
