"""A Container from what a Docker engine says of one."""

from __future__ import annotations

import pytest

from daemun.providers.docker.container import Binding, NetworkAddress, Port, container_of

WEB: dict[str, object] = {
    "Id": "8f0c",
    "Name": "/shop-web-1",
    "State": {"Status": "running", "Running": True, "Health": {"Status": "healthy", "Log": []}},
    "Config": {"Labels": {"traefik.enable": "true"}, "Image": "web"},
    "HostConfig": {"NetworkMode": "shop_default"},
    "NetworkSettings": {
        "Ports": {"8443/tcp": None, "8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}], "53/udp": []},
        "Networks": {
            "shop_default": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": ""},
            "back": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"},
        },
    },
}


def test_everything_that_routing_needs_is_read() -> None:
    """Name, labels, state, health, networks and ports of a running container."""
    web = container_of(WEB)
    assert (web.id, web.name, web.running, web.health) == ("8f0c", "shop-web-1", True, "healthy")
    assert web.labels == {"traefik.enable": "true"}
    assert web.network_mode == "shop_default"
    assert web.networks == {
        "back": NetworkAddress(ipv6="fd00::2"),
        "shop_default": NetworkAddress(ipv4="172.18.0.2"),
    }
    assert web.ports == (
        Port(number=53, protocol="udp"),
        Port(number=8000, protocol="tcp", bindings=(Binding(host_ip="0.0.0.0", host_port="80"),)),
        Port(number=8443, protocol="tcp"),
    )


def test_a_container_is_equal_to_itself_read_again() -> None:
    """What does not matter to routing, such as the log of the health checks, makes no difference."""
    again = {**WEB, "State": {"Status": "running", "Health": {"Status": "healthy", "Log": [{"Output": "ok"}]}}}
    assert container_of(again) == container_of(WEB)


@pytest.mark.parametrize(
    ("state", "running"),
    [
        ({"Status": "running", "Running": True}, True),
        ({"Status": "paused", "Running": True}, False),
        ({"Status": "restarting", "Running": True}, False),
        ({"Status": "exited", "Running": False}, False),
        ({"Running": True}, True),
        ({}, False),
    ],
)
def test_running_means_that_it_answers(state: dict[str, object], running: bool) -> None:  # noqa: FBT001 - a table's column
    """A paused or restarting container does not run, whatever `Running` says."""
    assert container_of({**WEB, "State": state}).running is running


@pytest.mark.parametrize("health", [None, {"Status": "none"}, {"Status": ""}])
def test_no_health_check_is_no_health(health: object) -> None:
    """Engines say that there is no check in three ways."""
    assert container_of({**WEB, "State": {"Status": "running", "Health": health}}).health == ""


def test_a_bare_answer_is_read() -> None:
    """What an engine leaves out is empty."""
    bare = container_of({"Id": "1", "Config": None, "NetworkSettings": {"Ports": None, "Networks": None}})
    assert (bare.labels, bare.networks, bare.ports, bare.running) == ({}, {}, (), False)


def test_a_container_without_an_id_is_refused() -> None:
    """Such an answer comes from no Docker engine."""
    with pytest.raises(ValueError, match="without an id"):
        container_of({"Name": "/web"})
