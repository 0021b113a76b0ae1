"""A rolling redeploy of three FastAPI containers under load: not one request fails, no POST is executed twice.

One container after the other is stopped (uvicorn ends by its own handling of SIGTERM), removed and made anew, as compose
does it; the next when the new one answers, or, with a health check, when it is healthy. DAEMUN_REDEPLOYS says how often
(`make soak`: 50); what was seen stands in the test's output (`pytest -s`).
"""

from __future__ import annotations

import os
import time
import urllib.request
from pathlib import Path

import pytest

from tests.kit.apps import ORDERS
from tests.kit.deploy import Load, executed
from tests.kit.docker import Container, Docker
from tests.kit.docker_gate import docker_gate, rule
from tests.kit.waiting import LIMIT, until

COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
PORT = "traefik.http.services.web.loadbalancer.server.port"
SECOND = 1_000_000_000  # nanoseconds
HEALTH = {
    "Test": ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/80"],
    "Interval": SECOND // 5,
    "Timeout": 5 * SECOND,
    "StartPeriod": 30 * SECOND,
}


def _redeploy(docker: Docker, path: Path, *, times: int) -> None:
    (path / "application.py").write_text(ORDERS)
    record = path / "record"

    def started(number: int, *, checked: bool) -> Container:
        container = docker.run(
            "fastapi",
            name=f"shop-web-{number}",
            labels={**COMPOSE, **rule("example.org", router="web", more={PORT: "80"})},
            volumes=[f"{path}:/app"],
            env={"RECORD": "/app/record"},
            health=HEALTH if checked else None,
        )
        if checked:
            until(lambda: container.health == "healthy", what="the new container to be healthy")
        else:
            until(lambda: _answers(container.address()), what="the new container's answer")
        return container

    containers = [started(number, checked=False) for number in range(3)]
    with docker_gate(docker) as gate:
        gate.served("example.org")
        began = time.monotonic()
        with Load(gate.instance.address(), clients=6, rate=15) as load:
            for turn in range(times):
                for number in range(3):
                    leaving = containers.pop(0)
                    leaving.stop()
                    leaving.remove()
                    containers.append(started(3 * (turn + 1) + number, checked=turn % 2 == 1))
            for container in containers:
                until(lambda name=container.name: load.answers[name], what=f"answers of {container.name}")  # type: ignore[misc]
        counts = executed(record)
        took = time.monotonic() - began
    print(f"{times} redeploys in {took:.0f} s: {load.total} answers, {len(load.wrong)} failed: {load.wrong}")
    print(f"{sum(counts.values())} orders executed, {sum(one - 1 for one in counts.values())} of them again")
    assert load.wrong == []
    assert set(counts.values()) == {1}
    assert set(counts) == load.orders


@pytest.mark.slow
def test_rolling_redeploy(docker: Docker, tmp_path: Path) -> None:
    """Four times: every request is answered, every POST executed once."""
    _redeploy(docker, tmp_path, times=4)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_rolling_redeploys(docker: Docker, tmp_path: Path) -> None:
    """Fifty times: every request is answered, every POST executed once."""
    _redeploy(docker, tmp_path, times=int(os.environ.get("DAEMUN_REDEPLOYS", "50")))


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=LIMIT) as response:
            return bool(response.status == 200)
    except OSError:
        return False
