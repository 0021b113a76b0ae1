"""Containers of one service are its servers: they come and go, a hundred at a time, and requests do not notice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.kit.docker import Docker
from tests.kit.docker_gate import docker_gate, rule
from tests.kit.traffic import Traffic
from tests.kit.waiting import until

COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}

# It says its name, never answers a request with `never` in its first line, and does not end at SIGTERM.
ANSWERS_ALL_BUT_ONE = r"""
trap "" TERM
cat >/answer <<'END'
read -r asked
while read -r field && [ ${#field} -gt 1 ]; do :; done
case "$asked" in *never*) echo asked >&2; sleep 600;; esac
printf 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nleaves'
END
nc -ll -p 80 -e sh /answer
"""


def test_scale_from_one_to_three_and_back(docker: Docker) -> None:
    """`compose up --scale`: one container, three that take turns, one again; no request fails meanwhile."""
    labels = {**COMPOSE, **rule("example.org")}
    with docker_gate(docker) as gate:
        first = docker.run(name="shop-web-1", labels=labels)
        gate.servers("example.org", {first.name})
        with Traffic(gate.instance.address()) as traffic, Traffic(gate.instance.address(), keep_alive=True) as kept:
            more = [docker.run(name=f"shop-web-{number}", labels=labels) for number in (2, 3)]
            gate.servers("example.org", {"shop-web-1", "shop-web-2", "shop-web-3"})
            turns = [gate.get("example.org").text.strip() for _ in range(6)]
            for container in more:
                container.stop()
                container.remove()
            gate.servers("example.org", {first.name})
            traffic.more()
            kept.more()
        assert len(turns) == 6
        assert traffic.failures == kept.failures == []


def test_stop_one_and_no_request_fails(docker: Docker) -> None:
    """One of two is stopped under load: every request is answered."""
    labels = {**COMPOSE, **rule("example.org")}
    with docker_gate(docker) as gate:
        stays, goes = (docker.run(name=f"shop-web-{number}", labels=labels) for number in (1, 2))
        gate.servers("example.org", {stays.name, goes.name})
        with Traffic(gate.instance.address(), keep_alive=True) as traffic:
            goes.stop()
            gate.servers("example.org", {stays.name})
            traffic.more()
        assert traffic.failures == []


def test_one_that_vanishes_with_its_network_is_given_up(docker: Docker) -> None:
    """Its end was announced and its network is gone: no packet says so, and the request it has not answered goes to another."""
    labels = {**COMPOSE, **rule("example.org")}
    with docker_gate(docker) as gate:
        stays = docker.run(name="shop-web-1", labels=labels)
        leaves = docker.run(command=["/bin/sh", "-c", ANSWERS_ALL_BUT_ONE], name="shop-web-2", labels=labels)
        gate.servers("example.org", {stays.name, "leaves"})
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(gate.get, "example.org", "/?never") for _ in range(2)]
            until(lambda: "asked" in leaves.logs(), what="the one that leaves to be asked")
            leaves.kill("TERM")
            gate.servers("example.org", {stays.name})
            docker.call("POST", "/networks/bridge/disconnect", {"Container": leaves.id, "Force": True})
            answers = [answer.result() for answer in both]
        assert [(answer.status, answer.text.strip()) for answer in answers] == [(200, stays.name)] * 2


def test_a_container_that_comes_or_goes_is_no_apply(docker: Docker) -> None:
    """Only endpoints differ, so only these are set: the engine takes no other Plan, and a stopped one leaves at its `kill`."""
    labels = {**COMPOSE, **rule("example.org")}
    with docker_gate(docker, throttle="1s") as gate:
        docker.run(name="shop-web-1", labels=labels)
        gate.servers("example.org", {"shop-web-1"})
        gate.plane.forget()
        applied = gate.plane.log.count("configuration applied")
        second = docker.run(name="shop-web-2", labels=labels)
        gate.servers("example.org", {"shop-web-1", "shop-web-2"})
        # It hears the signal and does not end: what is seen is the signal's doing, not its end's.
        deaf = docker.run(
            command=["/bin/sh", "-c", 'trap "" TERM; echo deaf >/www/index.html; httpd -f -p 80 -h /www'],
            name="shop-web-3",
            labels=labels,
        )
        gate.servers("example.org", {"shop-web-1", "shop-web-2", "deaf"})
        deaf.kill("TERM")
        gate.servers("example.org", {"shop-web-1", "shop-web-2"})
        assert deaf.running
        second.stop()
        gate.servers("example.org", {"shop-web-1"})
        assert gate.plane.log.count("configuration applied") == applied


def test_a_hundred_containers(docker: Docker) -> None:
    """A hundred containers, each with a host of its own, and twenty of them gone again."""
    with docker_gate(docker, throttle="500ms") as gate:
        made = [
            docker.run(name=f"web-{number}", labels=rule(f"{number}.example", router=f"web-{number}"))
            for number in range(100)
        ]
        for number, container in enumerate(made):
            gate.served(f"{number}.example", by=container.name)
        for container in made[:20]:
            container.kill()
        for number in range(20):
            gate.hidden(f"{number}.example")
        assert {gate.get(f"{number}.example").status for number in range(20, 100)} == {200}
