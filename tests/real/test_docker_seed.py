"""The user's own files with a real Docker engine: seed/traefik-dev.toml, seed/traefik-prod.toml, seed/docker-labels.yml."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.kit.daemun import ControlPlane, Instance
from tests.kit.docker import Docker
from tests.kit.pebble import Pebble
from tests.kit.production import obtained, production
from tests.kit.waiting import until
from tests.kit.wire import Client

SEED = Path(__file__).parents[1] / "seed"
THROTTLE = 2.0  # Traefik's, for the seed says nothing else


def seed_labels(name: str) -> dict[str, str]:
    """The seed's labels, for another host name."""
    listed: list[str] = yaml.safe_load((SEED / "docker-labels.yml").read_text())["labels"]
    labels = dict(line.split("=", 1) for line in listed)
    assert "yourdomain.com" in labels["traefik.http.routers.fastapi.rule"]
    return {label: value.replace("yourdomain.com", name) for label, value in labels.items()}


@contextlib.contextmanager
def development(docker: Docker) -> Iterator[tuple[Instance, ControlPlane]]:
    """The seed's development file; only the address and the engine's endpoint are others."""
    text = (SEED / "traefik-dev.toml").read_text()
    for before, after in (
        ('address = ":80"', 'address = "127.0.0.1:0"'),
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


def test_development(docker: Docker) -> None:
    """A container without traefik.enable=true is hidden, and the log names the label; with it and a rule it is served."""
    rule = {"traefik.http.routers.app.rule": "Host(`app.localhost`)"}
    with development(docker) as (instance, plane):
        hidden = docker.run(name="hidden", labels=rule)
        until(lambda: "it lacks the label traefik.enable=true" in plane.log, what="the missing label in the log")
        assert "container hidden" in plane.log
        assert status(instance, "app.localhost") == 404
        hidden.remove()
        begun = time.monotonic()
        docker.run(name="app", labels={**rule, "traefik.enable": "true"})
        until(lambda: status(instance, "app.localhost") == 200, what="the application")
        assert time.monotonic() - begun < THROTTLE + 5  # a second on a machine of one's own


def test_production(docker: Docker) -> None:
    """A container with the seed's two labels is served over https, with a certificate of its own, by nothing else."""
    name = "fastapi.example.test"
    with Pebble() as ca, Instance() as instance:
        text = production(instance, ca).partition("[providers.file]")[0]
        text += f'[providers.docker]\nendpoint = "{docker.host}"\n[log]\nlevel = "INFO"\n'
        instance.write("traefik-prod.toml", text)
        plane = instance.run(config="traefik-prod.toml")
        docker.run(name="fastapi", labels=seed_labels(name))
        with obtained(instance, ca, name) as client:
            until(lambda: client.request(host=name).status == 200, what="the application over https")
            assert client.request(host="other.example.test").status in {404, 421}
        assert status(instance, name) in {301, 308}  # to https, as the seed says
        assert plane.stop() == 0
