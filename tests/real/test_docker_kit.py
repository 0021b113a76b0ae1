"""The kit's Docker engine, on which the tests of the Docker provider stand: a container runs, answers, and is gone."""

from __future__ import annotations

import urllib.request
from functools import partial
from pathlib import Path

import pytest

from tests.kit.docker import Docker
from tests.kit.waiting import LIMIT, until

APPLICATION = """
import os
import fastapi

app = fastapi.FastAPI()


@app.get("/")
def name() -> str:
    return os.environ["NAME"]
"""


def test_a_container_answers_at_its_address(docker: Docker) -> None:
    """A container is reached at its address, says its name, tells what happens to it, and is gone when removed."""
    with docker.events() as events:
        web = docker.run(labels={"traefik.enable": "true"})
        assert until(lambda: _get(web.address()), what="its answer") == f"{web.name}\n"
        web.stop()
        events.wait("kill", name=web.name)
        events.wait("die", name=web.name)
        assert not web.running
        web.remove()
        events.wait("destroy", name=web.name)
    assert docker.containers() == []


def test_a_container_on_two_networks_has_two_addresses(docker: Docker) -> None:
    """Each network that a container joins gives it an address, and both answer."""
    front, back = docker.network("front"), docker.network("back")
    web = docker.run(network=front, networks=[back])
    assert web.address(front) != web.address(back)
    for address in (web.address(front), web.address(back)):
        assert until(partial(_get, address), what="its answer") == f"{web.name}\n"


@pytest.mark.parametrize("live_restore", [False, True])
def test_the_engine_restarts(*, live_restore: bool) -> None:
    """An engine that was restarted knows its containers; they went on only if it was to let them."""
    with Docker(live_restore=live_restore) as docker:
        web = docker.run(name="web")
        docker.stop()
        assert not docker.api.answers()
        docker.start()
        assert [one.name for one in docker.containers()] == ["web"]
        assert web.running is live_restore


def test_nothing_is_left() -> None:
    """With the engine its bridges go, and its files."""
    with Docker() as docker:
        docker.network("other")
        docker.run(network="other")
        bridges = [docker.bridge, f"{docker.bridge}-1"]
        assert [name for name in bridges if Path("/sys/class/net", name).exists()] == bridges
    assert [name for name in bridges if Path("/sys/class/net", name).exists()] == []
    assert not docker.path.exists()


def test_fastapi_runs_in_a_container(docker: Docker, tmp_path: Path) -> None:
    """The image `fastapi` serves the application that is mounted, and uvicorn ends in order at SIGTERM."""
    (tmp_path / "application.py").write_text(APPLICATION)
    web = docker.run("fastapi", volumes=[f"{tmp_path}:/app:ro"])
    assert until(lambda: _get(web.address()), what="its answer") == f'"{web.name}"'
    web.kill("TERM")
    assert web.wait() in {0, 143}
    assert "Finished server process" in web.logs()


def _get(address: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=LIMIT) as response:
            return str(response.read().decode())
    except OSError:
        return ""
