"""providers.docker: what may be written there, and which engines come of it."""

from __future__ import annotations

import pytest

from daemun.errors import ConfigError
from daemun.traefik.docker_options import DEFAULT_RULE, SOCKET, Docker, DockerOptions
from daemun.traefik.read import load_static


def docker(text: str) -> Docker:
    """Return the section of a static file."""
    static, problems = load_static(f"[providers.docker]\n{text}")
    assert problems == []
    assert static.providers.docker is not None
    return static.providers.docker


def test_defaults_are_those_of_traefik() -> None:
    """An empty section is the local socket, watched, everything exposed."""
    assert docker("").providers() == {"docker": DockerOptions()}
    options = DockerOptions()
    assert (options.endpoint, options.watch, options.exposed_by_default) == (SOCKET, True, True)
    assert (options.default_rule, options.http_client_timeout) == (DEFAULT_RULE, 0.0)


def test_every_option_is_read() -> None:
    """Names as Traefik writes them, in any case."""
    options = docker(
        """
        endpoint = "tcp://10.0.0.1:2376"
        username = "u"
        password = "p"
        httpClientTimeout = "5s"
        watch = false
        exposedbydefault = false
        allowEmptyServices = true
        useBindPortIP = true
        network = "web"
        defaultRule = "Host(`a`)"
        constraints = "Label(`a`, `b`)"
        [providers.docker.tls]
        ca = "ca.pem"
        cert = "cert.pem"
        key = "key.pem"
        insecureSkipVerify = true
        """
    ).providers()["docker"]
    assert options.tls is not None
    assert (options.tls.ca, options.tls.cert, options.tls.key) == ("ca.pem", "cert.pem", "key.pem")
    assert options.tls.insecure_skip_verify
    assert options.http_client_timeout == 5.0
    assert not options.exposed_by_default
    assert (options.network, options.constraints) == ("web", "Label(`a`, `b`)")


def test_further_engines_have_what_they_do_not_say_from_the_first() -> None:
    """But neither where it is nor how one gets in there."""
    found = docker(
        """
        username = "u"
        password = "p"
        exposedByDefault = false
        network = "web"
        [providers.docker.engines.west]
        endpoint = "ssh://me@west"
        network = "edge"
        """
    ).providers()
    assert list(found) == ["docker", "docker-west"]
    west = found["docker-west"]
    assert (west.endpoint, west.username, west.password, west.tls) == ("ssh://me@west", "", "", None)
    assert (west.exposed_by_default, west.network) == (False, "edge")


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("/var/run/docker.sock", "is no Docker endpoint: expected unix:///path"),
        ("npipe:////./pipe/docker_engine", "is no Docker endpoint"),
        ("unix://docker.sock", "names no socket"),
        ("tcp://host", "names no port"),
        ("tcp://:2375", "names no host"),
        ("tcp://host:port", "has a port that is none"),
        ("ssh://-oProxyCommand=x", "begin with a dash"),
        ("ssh://me:secret@host", "holds no password"),
    ],
)
def test_an_endpoint_that_is_none_is_refused(endpoint: str, words: str) -> None:
    """With its line, and what is accepted; a password is not repeated."""
    with pytest.raises(ConfigError) as caught:
        docker(f'endpoint = "{endpoint}"')
    [problem] = caught.value.problems
    assert words in problem.message
    assert problem.place is not None
    assert problem.place.line == 2


def test_the_name_of_an_engine_is_part_of_names() -> None:
    """So it cannot hold what separates them."""
    with pytest.raises(ConfigError, match="'a@b' cannot be an engine's name"):
        docker('[providers.docker.engines."a@b"]\nendpoint = "tcp://h:1"')


def test_a_further_engine_needs_an_endpoint() -> None:
    """Two names for the local socket would serve everything twice."""
    with pytest.raises(ConfigError, match="endpoint is missing"):
        docker("[providers.docker.engines.west]\nwatch = true")
