"""Where a container is reached: networks, ports, the host's bindings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from daemun.providers.docker.container import Binding, Container, NetworkAddress, Port
from tests.kit.containers import both, container, read, said, servers

TWO = {"back": "10.0.0.1", "front": "10.0.0.2"}


def url(*containers: Container, name: str = "web@docker", **options: Any) -> str:
    """The one server of a service, nothing being doubtful."""
    (found,) = servers(read(*containers, **options), name)
    return found


def warned(*containers: Container, **options: Any) -> tuple[list[str], list[str]]:
    """The servers of `web`, and what is doubtful about them."""
    dynamic, problems = both(*containers, **options)
    return servers(dynamic, "web@docker"), [problem.message for problem in problems]


def test_the_lowest_port_is_taken() -> None:
    """By number, not as text."""
    assert url(container(ports=(9000, 443, 8080))) == "http://10.0.0.1:443"
    assert url(container(ports=(10000, 9000))) == "http://10.0.0.1:9000"


def test_the_label_names_another_port() -> None:
    """Exposed or not."""
    labels = {"traefik.http.services.web.loadbalancer.server.port": "1234"}
    assert url(container(labels=labels)) == "http://10.0.0.1:1234"
    assert url(container(labels=labels, ports=())) == "http://10.0.0.1:1234"


def test_a_port_of_udp_is_no_port_for_http() -> None:
    """Traefik would take it, and reach nobody."""
    ports = (Port(number=53, protocol="udp"), Port(number=8000, protocol="tcp"))
    assert url(replace(container(), ports=ports)) == "http://10.0.0.1:8000"


def test_ipv4_comes_before_ipv6() -> None:
    """An IPv6 address stands in brackets."""
    both_kinds = replace(container(), networks={"n": NetworkAddress(ipv4="10.0.0.1", ipv6="fd00::1")})
    assert url(both_kinds) == "http://10.0.0.1:8000"
    assert url(container(networks={"n": "fd00::1"})) == "http://[fd00::1]:8000"


def test_the_label_chooses_the_network() -> None:
    """Before the provider's option."""
    assert (
        url(container(labels={"traefik.docker.network": "front"}, networks=TWO), network="back")
        == "http://10.0.0.2:8000"
    )


def test_the_option_chooses_the_network() -> None:
    """For all containers that do not say."""
    assert url(container(networks=TWO), network="front") == "http://10.0.0.2:8000"


def test_one_of_several_networks_is_taken_with_a_warning() -> None:
    """Traefik takes any, each time another: the proxy may not be in it. We take the first by name and say so."""
    found, messages = warned(container(networks={"front": "10.0.0.2", "back": "10.0.0.1"}))
    assert found == ["http://10.0.0.1:8000"]
    assert messages == [
        "the container 'web' is in several networks (back, front) and none is named: 'back' is used",
    ]


def test_a_network_that_is_not_there_is_said() -> None:
    """The nearest name is given: people forget the project's."""
    labels = {"traefik.docker.network": "front"}
    _, problems = both(container(labels=labels, networks={"shop_front": "10.0.0.3"}))
    assert said(problems) == [
        (
            "container web: warning: the container 'web' is in no network 'front': 'shop_front' is used\n"
            "  did you mean 'shop_front'?\n"
            "  Compose puts the project's name before a network's, as in shop_front"
        )
    ]


def test_a_network_without_an_address_is_no_choice() -> None:
    """Nothing is doubtful when only one can be used."""
    assert url(container(networks={"a": "", "b": "10.0.0.5"})) == "http://10.0.0.5:8000"


def test_a_container_in_the_hosts_network_is_reached_there() -> None:
    """Whatever that address is, the provider finds out; an old Swarm engine says it itself."""
    host = container(network_mode="host", networks={"host": ""})
    assert url(host) == "http://127.0.0.1:8000"
    assert url(host, host_address="172.17.0.1") == "http://172.17.0.1:8000"
    assert url(replace(host, node_address="192.0.2.7")) == "http://192.0.2.7:8000"


@pytest.mark.parametrize("reference", ["id-vpn", "vpn", "id-v"])
def test_a_shared_network_is_followed(reference: str) -> None:
    """To the container whose network it is, running or exposed or not."""
    vpn = container("vpn", {"traefik.enable": "false"}, networks={"n": "10.0.0.7"})
    sharing = container(network_mode=f"container:{reference}", networks={})
    assert url(vpn, sharing) == "http://10.0.0.7:8000"


def test_the_network_is_chosen_by_the_one_that_shares_it() -> None:
    """Its label comes first, then the other's, then the option."""
    vpn = container("vpn", {"traefik.enable": "false"}, networks=TWO)
    labels = {"traefik.docker.network": "front"}
    assert url(vpn, container(labels=labels, network_mode="container:vpn", networks={})) == "http://10.0.0.2:8000"
    vpn = container("vpn", {**labels, "traefik.enable": "false"}, networks=TWO)
    sharing = container(network_mode="container:vpn", networks={})
    assert url(vpn, sharing, network="back") == "http://10.0.0.2:8000"


def test_whoever_shares_the_network_of_nobody_is_unreachable() -> None:
    """It is said, and the router has no server."""
    labels = {"traefik.http.routers.r.rule": "Host(`a`)"}
    for reference in ("gone", "web"):
        dynamic, problems = both(container(labels=labels, network_mode=f"container:{reference}", networks={}))
        assert "web@docker" not in dynamic.services
        assert "shares the network of a container that is not there" in problems[0].message


def bound(*bindings: Binding) -> Container:
    return replace(container(), ports=(Port(number=8000, protocol="tcp", bindings=bindings),))


def test_the_hosts_binding_is_used_on_demand() -> None:
    """With useBindPortIP: address and port of the host."""
    ours = bound(Binding(host_ip="192.0.2.1", host_port="8080"))
    assert url(ours) == "http://10.0.0.1:8000"
    assert url(ours, use_bind_port_ip=True) == "http://192.0.2.1:8080"
    assert url(bound(Binding(host_ip="fd00::5", host_port="8080")), use_bind_port_ip=True) == "http://[fd00::5]:8080"


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::"])
def test_a_binding_of_all_addresses_tells_none(address: str) -> None:
    """The container's own address is used, and it is said."""
    found, messages = warned(bound(Binding(host_ip=address, host_port="80")), use_bind_port_ip=True)
    assert found == ["http://10.0.0.1:8000"]
    assert messages == [
        f"port 8000 of the container 'web' is bound to {address or 'all addresses'}: its own address is used"
    ]


def test_a_port_that_is_not_bound_is_reached_inside() -> None:
    """The label's port is looked for, not the lowest one."""
    ports = (Port(number=80, protocol="tcp", bindings=(Binding(host_ip="192.0.2.1", host_port="8080"),)),)
    labels = {"traefik.http.services.web.loadbalancer.server.port": "9000"}
    found, messages = warned(replace(container(labels=labels), ports=ports), use_bind_port_ip=True)
    assert found == ["http://10.0.0.1:9000"]
    assert messages == ["port 9000 of the container 'web' is not bound to the host: its own address is used"]
