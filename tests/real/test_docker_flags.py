"""What stands under `command:` and `environment:` of a compose file written for Traefik, with containers behind it."""

from __future__ import annotations

import pytest

from tests.kit.daemun import Instance
from tests.kit.docker import Docker
from tests.kit.waiting import until

RULE = {"traefik.enable": "true", "traefik.http.routers.web.rule": "PathPrefix(`/`)"}


def test_words_for_traefik(docker: Docker) -> None:
    """Flags alone serve the containers that show themselves, and hide the others."""
    shown = docker.run(labels=RULE)
    docker.run(labels={"traefik.http.routers.hidden.rule": "Path(`/index.html`)"})
    with Instance() as instance:
        plane = instance.start(
            "traefik",
            "--providers.docker=true",
            f"--providers.docker.endpoint={docker.host}",
            "--providers.docker.exposedbydefault=false",
            "--providers.providersthrottleduration=200ms",
            "--entrypoints.web.address=127.0.0.1:0",
            "--log.level=INFO",
        )
        until(lambda: instance.get("/").status == 200, what="the container's route")
        assert instance.get("/").body.decode().strip() == shown.name
        assert instance.get("/index.html").body.decode().strip() == shown.name
        another = docker.run(
            labels={"traefik.enable": "true", "traefik.http.routers.another.rule": "Path(`/index.html`)"}
        )
        until(lambda: instance.get("/index.html").body.decode().strip() == another.name, what="the second container")
        assert plane.stop() == 0


def test_the_environment_for_traefik(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """`daemun` alone, with variables written for Traefik."""
    shown = docker.run(labels=RULE)
    monkeypatch.setenv("TRAEFIK_PROVIDERS_DOCKER", "true")
    monkeypatch.setenv("TRAEFIK_PROVIDERS_DOCKER_ENDPOINT", docker.host)
    monkeypatch.setenv("TRAEFIK_ENTRYPOINTS_HTTP_ADDRESS", "127.0.0.1:0")
    with Instance() as instance:
        instance.start()
        until(lambda: instance.get("/", "http").status == 200, what="the container's route")
        assert instance.get("/", "http").body.decode().strip() == shown.name
