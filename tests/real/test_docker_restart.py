"""The Docker engine goes away and comes back: what is known keeps serving, and is corrected afterwards."""

from __future__ import annotations

import pytest

from tests.kit.docker import Docker
from tests.kit.docker_gate import docker_gate, rule
from tests.kit.traffic import Traffic


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "crashed"])
def test_containers_that_live_on_are_served_meanwhile(*, crash: bool) -> None:
    """While the engine is away its containers keep being served; one that ended meanwhile is gone afterwards, one comes anew."""
    with Docker(live_restore=True) as docker, docker_gate(docker) as gate:
        docker.run(name="web", labels=rule("example.org"))
        ends = docker.run(name="ends", command=["sleep", "0.5"], labels=rule("ends.example", router="ends"))
        gate.served("example.org", by="web")
        with Traffic(gate.instance.address()) as traffic:
            docker.crash() if crash else docker.stop()
            gate.said("docker", "keeps serving")
            traffic.more()
            docker.start()
            gate.hidden("ends.example")
            ends.remove()
            docker.run(name="later", labels=rule("later.example", router="later"))
            gate.served("later.example", by="later")
            traffic.more()
        assert traffic.failures == []


def test_containers_that_ended_with_the_engine_come_back() -> None:
    """Containers that are restarted with the engine have other addresses, and are served at these."""
    with Docker() as docker, docker_gate(docker) as gate:
        for name in ("one", "two"):
            docker.run(name=name, labels=rule(f"{name}.example", router=name), restart="always")
            gate.served(f"{name}.example", by=name)
        docker.stop()
        docker.start()
        for name in ("one", "two"):
            gate.served(f"{name}.example", by=name)
