"""The command that leads to an engine over ssh, and the advice when nothing does."""

from __future__ import annotations

import pytest

from daemun.errors import ProviderError
from daemun.providers.docker.advice import remedy_of
from daemun.providers.docker.client import Refused
from daemun.providers.docker.endpoint import ssh_command
from daemun.traefik.docker_options import split_endpoint


@pytest.mark.parametrize(
    ("endpoint", "rest"),
    [
        ("ssh://host", ["--", "host", "docker system dial-stdio"]),
        ("ssh://me@host:22", ["-l", "me", "-p", "22", "--", "host", "docker system dial-stdio"]),
        ("ssh://host/run/a b.sock", ["--", "host", "docker --host 'unix:///run/a b.sock' system dial-stdio"]),
        ("ssh://host/$(id)", ["--", "host", "docker --host 'unix:///$(id)' system dial-stdio"]),
    ],
)
def test_ssh_runs_what_the_docker_command_runs(endpoint: str, rest: list[str]) -> None:
    """What comes after `--` is a host whatever it looks like; a path is one word to the other side's shell."""
    command = ssh_command(split_endpoint(endpoint))
    assert command[-len(rest) :] == rest
    assert "BatchMode=yes" in command


@pytest.mark.parametrize(
    ("error", "endpoint", "words"),
    [
        (ProviderError("No such file or directory"), "unix:///s", "mount it into the container (/s:/s:ro)"),
        (ProviderError("Permission denied"), "unix:///s", "the group that owns /s"),
        (ProviderError("Connection refused"), "unix:///s", "start the Docker engine"),
        (Refused("/events", 403, ""), "tcp://h:1", "must let through GET of /version, /containers and /events"),
        (ProviderError("what answers is no Docker engine"), "tcp://h:1", "say so with providers.docker.tls"),
        (ProviderError("No route to host"), "tcp://h:1", ""),
        (Refused("/events", 500, ""), "unix:///s", ""),
    ],
)
def test_advice(error: ProviderError, endpoint: str, words: str) -> None:
    """Where something can be done it is said."""
    remedy = remedy_of(error, endpoint)
    assert words in remedy
    assert bool(words) == bool(remedy)
