"""The user's own files with a real Docker engine: seed/traefik-dev.toml, seed/traefik-prod.toml, seed/docker-labels.yml."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.kit.daemun import ControlPlane, Instance
from tests.kit.docker import Docker
from tests.kit.pebble import Pebble
from tests.kit.production import APPLICATION, NAME, SEED, obtained, production
from tests.kit.waiting import until
from tests.kit.wire import Client

COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "fastapi"}
THROTTLE = 2.0  # Traefik's, for the seed says nothing else


def seed_labels(name: str) -> dict[str, str]:
    """The seed's labels, for another host name."""
    listed: list[str] = yaml.safe_load((SEED / "docker-labels.yml").read_text())["labels"]
    labels = dict(line.split("=", 1) for line in listed)
    assert "yourdomain.com" in labels["traefik.http.routers.fastapi.rule"]
    return {label: value.replace("yourdomain.com", name) for label, value in labels.items()}


@contextlib.contextmanager
def development(docker: Docker) -> Iterator[tuple[Instance, ControlPlane]]:
    """The seed's development file; only addresses and the engine's endpoint are others, and the API is on."""
    text = (SEED / "traefik-dev.toml").read_text() + "\n[api]\ninsecure = true\n"
    for before, after in (
        ('address = ":80"', 'address = "127.0.0.1:0"'),
        ("[entryPoints.http]", '[entryPoints.traefik]\naddress = "127.0.0.1:0"\n[entryPoints.http]'),
        ("[providers.docker]", f'[providers.docker]\nendpoint = "{docker.host}"'),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    with Instance() as instance:
        instance.write("traefik-dev.toml", f'{text}\n[log]\nlevel = "INFO"\n')
        yield instance, instance.run(config="traefik-dev.toml")


def status(instance: Instance, host: str) -> int:
    with Client(instance.address("http")) as client:
        return client.request(host=host).status


def asked(instance: Instance, path: str) -> Any:
    """What the API says."""
    with Client(instance.address("traefik")) as client:
        answer = client.request(target=path)
    return json.loads(answer.body) if answer.status == 200 else answer.status


def test_development(docker: Docker) -> None:
    """A container without traefik.enable=true is hidden, log and API name the label; with it and a rule it is served."""
    rule = {"traefik.http.routers.app.rule": "Host(`app.localhost`)"}
    with development(docker) as (instance, plane):
        hidden = docker.run(name="hidden", labels=rule)
        until(lambda: "it lacks the label traefik.enable=true" in plane.log, what="the missing label in the log")
        assert "container hidden" in plane.log
        [told] = until(lambda: asked(instance, "/api/docker/containers"), what="the container in the API")
        assert (told["name"], told["exposed"]) == ("hidden", False)
        assert "it lacks the label traefik.enable=true" in told["reason"]
        assert asked(instance, "/api/http/routers") == []
        assert status(instance, "app.localhost") == 404
        hidden.remove()
        begun = time.monotonic()
        docker.run(name="app", labels={**rule, "traefik.enable": "true"})
        until(lambda: status(instance, "app.localhost") == 200, what="the application")
        assert time.monotonic() - begun < THROTTLE + 5  # a second on a machine of one's own
        [told] = until(lambda: asked(instance, "/api/docker/containers"), what="the container in the API")
        assert (told["name"], told["exposed"], "reason" in told) == ("app", True, False)
        [router] = asked(instance, "/api/http/routers")
        assert (router["name"], router["status"], router["using"]) == ("app@docker", "enabled", ["http"])


def test_production(docker: Docker, tmp_path: Path) -> None:
    """traefik-prod.toml and the seed's two labels: https with a certificate by itself; a container stops, no request fails."""
    (tmp_path / "application.py").write_text(APPLICATION)
    labels = seed_labels(NAME)
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
