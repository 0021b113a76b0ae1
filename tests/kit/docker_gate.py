"""Daemun before the containers of a Docker engine: `with docker_gate(docker) as gate: gate.get("app.example")`.

The static file has one entry point, `web`, and `providers.docker` with the given lines. The throttle is short, so that
tests are; what is waited for are answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kit.daemun import ControlPlane, Instance
from tests.kit.docker import Docker
from tests.kit.waiting import until
from tests.kit.wire import Client, Response, WireError

STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[log]
level = "DEBUG"
{top}
[providers]
providersThrottleDuration = "{throttle}"
[providers.docker]
endpoint = "{endpoint}"
{lines}
"""


@dataclass(frozen=True, kw_only=True)
class DockerGate:
    """One instance and its control plane."""

    instance: Instance
    plane: ControlPlane
    listener: str = "web"

    def get(self, host: str, path: str = "/") -> Response:
        """One GET for this host over a connection of its own."""
        with Client(self.instance.address(self.listener)) as client:
            return client.request(target=path, host=host)

    def served(self, host: str, *, by: str | None = None, path: str = "/") -> str:
        """Wait until this host is answered with 200 (by the container of this name); the text."""

        def answer() -> Response | None:
            with contextlib.suppress(OSError, WireError):
                response = self.get(host, path)
                fits = response.status == 200 and by in (None, response.text.strip())
                return response if fits else None
            return None

        response = until(answer, what=f"{host} to be served by {by or 'anybody'}\n")
        assert response is not None
        return response.text.strip()

    def hidden(self, host: str) -> None:
        """Wait until this host is answered with 404."""
        until(lambda: self.get(host).status == 404, what=f"{host} not to be served")

    def servers(self, host: str, names: set[str]) -> None:
        """Wait until exactly these containers answer for this host, by turns."""
        until(lambda: self._asked(host, len(names)) == names, what=f"{host} to be served by {sorted(names)}")

    def said(self, *parts: str) -> str:
        """Wait until one line of the log has all these parts; the line."""
        found = until(
            lambda: [line for line in self.plane.log.splitlines() if all(part in line for part in parts)],
            what=f"a line of the log with {parts}",
        )
        return found[0]

    def _asked(self, host: str, count: int) -> set[str]:
        answers = [self.get(host) for _ in range(2 * max(count, 1))]
        return {answer.text.strip() if answer.status == 200 else f"{answer.status}" for answer in answers}


@contextlib.contextmanager
def docker_gate(docker: Docker, lines: str = "", *, top: str = "", throttle: str = "100ms") -> Iterator[DockerGate]:
    """Daemun with `providers.docker`: `lines` are its options, `top` stands before `[providers]`."""
    with Instance() as instance:
        instance.write("daemun.toml", STATIC.format(endpoint=docker.host, lines=lines, top=top, throttle=throttle))
        yield DockerGate(instance=instance, plane=instance.run())


def rule(host: str, *, router: str = "app", more: dict[str, str] | None = None) -> dict[str, str]:
    """The label that routes a host to its container, and others."""
    return {f"traefik.http.routers.{router}.rule": f"Host(`{host}`)", **(more or {})}
