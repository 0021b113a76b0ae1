"""What can be said of `providers.docker` without asking an engine: its files, its socket, its programs. For `daemun check`.

Labels are not among it: what containers define is known only when an engine answers.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from daemun.errors import Problem, ProviderError
from daemun.providers.docker.endpoint import client_context
from daemun.traefik.docker_options import DOCKER, DockerOptions, split_endpoint
from daemun.traefik.static import Static


def docker_problems(static: Static, *, beside: Path | None = None) -> list[Problem]:
    """Return what is wrong with the way to each engine, as far as it is seen from here."""
    if static.providers.docker is None:
        return []
    problems: list[Problem] = []
    for name, options in static.providers.docker.providers().items():
        path = ("providers", DOCKER, *(() if name == DOCKER else ("engines", name.removeprefix(f"{DOCKER}-"))))
        problems.extend(_problems_of(static, options, path, beside))
    return problems


def _problems_of(static: Static, options: DockerOptions, path: tuple[str, ...], beside: Path | None) -> list[Problem]:
    problems: list[Problem] = []
    parts = split_endpoint(options.endpoint)
    subject = ".".join(path)
    if options.tls is not None:
        try:
            client_context(options.tls, beside)
        except ProviderError as error:
            place = static.place(*path, "tls")
            problems.append(
                Problem(
                    severity="error", kind="file", message=f"{subject}: {error}", place=place, subject=f"{subject}.tls"
                )
            )
    if parts.scheme == "unix" and not Path(parts.path).exists():
        message = f"there is no socket {parts.path} here"
        remedy = "where Daemun runs it must be there: start the Docker engine, or mount it into the container"
        problems.append(_info(static, path, message, remedy))
    if parts.scheme == "ssh" and shutil.which("ssh") is None:
        problems.append(_info(static, path, "there is no program `ssh` here", "where Daemun runs it is needed"))
    if parts.scheme == "unix" and options.tls is not None:
        problems.append(_info(static, path, "tls has no meaning for a Unix socket", "", option="tls"))
    return problems


def _info(static: Static, path: tuple[str, ...], message: str, remedy: str, *, option: str = "endpoint") -> Problem:
    place = static.place(*path, option)
    subject = ".".join((*path, option))
    return Problem(severity="info", kind="hint", message=message, place=place, subject=subject, remedy=remedy)
