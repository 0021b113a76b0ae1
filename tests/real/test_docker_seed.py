"""The user's own files with containers: traefik-dev.toml, and traefik-prod.toml with the labels of docker-labels.yml."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import yaml

from tests.kit.daemun import Instance
from tests.kit.docker import Docker
from tests.kit.docker_gate import DockerGate, rule
from tests.kit.pebble import Pebble
from tests.kit.production import APPLICATION, NAME, SEED, obtained, production
from tests.kit.waiting import until
from tests.kit.wire import Client

THROTTLE = 2.0  # Traefik's default, seconds
COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "fastapi"}


def test_development(docker: Docker) -> None:
    """traefik-dev.toml hides a container without `traefik.enable=true` and says so; with it, one is served soon after its start."""
    text = (SEED / "traefik-dev.toml").read_text()
    for before, after in (
        ('address = ":80"', 'address = "127.0.0.1:0"'),
        ("exposedByDefault = false", f'exposedByDefault = false\nendpoint = "{docker.host}"\n[log]\nlevel = "INFO"'),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    with Instance() as instance:
        instance.write("traefik-dev.toml", text)
        gate = DockerGate(instance=instance, plane=instance.run(config="traefik-dev.toml"), listener="http")
        docker.run(name="hidden", labels=rule("hidden.example", router="hidden"))
        gate.said("hidden", "traefik.enable=true")
        assert gate.get("hidden.example").status == 404
        labels = rule("shown.example", router="shown", more={"traefik.enable": "true"})
        shown = docker.create(name="shown", labels=labels)
        began = time.monotonic()
        shown.start()
        gate.served("shown.example", by="shown")
        assert time.monotonic() - began < THROTTLE + 1


def test_production(docker: Docker, tmp_path: Path) -> None:
    """traefik-prod.toml and the seed's two labels: https with a certificate by itself; a container stops, no request fails."""
    (tmp_path / "application.py").write_text(APPLICATION)
    told = yaml.safe_load((SEED / "docker-labels.yml").read_text())["labels"]
    labels = dict(label.replace("yourdomain.com", NAME).split("=", 1) for label in told)
    assert len(labels) == 2
    with Pebble() as ca, Instance() as instance:
        provider = f'[providers.docker]\nendpoint = "{docker.host}"'
        instance.write("traefik-prod.toml", production(instance, ca, provider=provider))
        instance.run(config="traefik-prod.toml")
        leaving, stays = [
            docker.run("fastapi", name=name, labels={**COMPOSE, **labels}, volumes=[f"{tmp_path}:/app:ro"])
            for name in ("shop-fastapi-1", "shop-fastapi-2")
        ]
        with obtained(instance, ca) as client:

            def answer() -> bytes:
                response = client.request(target="/client-info", host=NAME)
                assert response.status in {200, 502, 503}, response
                return response.body if response.status == 200 else b""

            served = until(answer, what="FastAPI's answer")
            assert json.loads(served) == {"ip": "127.0.0.1", "protocol": "https"}
            until(lambda: _known(instance) == 2, what="both servers to be known")
            until(lambda: _answers(stays.address()), what="the answer of the other container")
            stopping = threading.Thread(target=leaving.stop)
            stopping.start()
            after = 0
            while after < 100:
                assert client.request(target="/client-info", host=NAME).status == 200
                after += not stopping.is_alive()
            stopping.join()
            assert not leaving.running
        with Client(instance.address("http")) as plain:
            assert plain.request(target="/client-info", host=NAME).status == 301


def _known(instance: Instance) -> int:
    with instance.control() as control:
        services = control.call("stats")["services"]
    return sum(len(endpoints) for name, endpoints in services.items() if name.endswith("@docker"))


def _answers(address: str) -> bool:
    try:
        with Client((address, 80)) as client:
            return client.request(target="/client-info").status == 200
    except OSError:
        return False
