"""Flags, environment and file add up to one static configuration, whose options keep their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.errors import ConfigError, Problem
from daemun.traefik.lower_listeners import open_gates
from daemun.traefik.sources import StaticSources
from daemun.traefik.static import Static

FILE = """
[entryPoints.webSecure]
address = ":443"
[entryPoints.webSecure.http.tls]
certResolver = "le"
[log]
level = "ERROR"
[ping]
[providers.file]
filename = "dynamic.toml"
[certificatesResolvers.le.acme]
email = "a@example.com"
httpChallenge = {entryPoint = "web"}
"""


def load(*flags: str, file: Path | None = None, environ: dict[str, str] | None = None) -> tuple[Static, list[Problem]]:
    return StaticSources(file=file, flags=flags, environ=environ or {}, own=("--threads",)).load()


def wrong(*flags: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(*flags, environ=environ)
    return [f"{problem.place}: {problem.message}" for problem in raised.value.problems if problem.is_error]


def test_a_compose_file_of_traefik() -> None:
    """What people write after `command:` means what it means there."""
    static, problems = load(
        "--log.level=DEBUG",
        "--accesslog=true",
        "--accesslog.fields.headers.names.User-Agent=keep",
        "--ping",
        "--providers.file.directory=/etc/traefik/dynamic",
        "--providers.file.watch=true",
        "--providers.providersThrottleDuration=1s",
        "--entryPoints.web.address=:80",
        "--entrypoints.web.http.redirections.entryPoint.to=websecure",
        "--entrypoints.web.http.redirections.entrypoint.scheme=https",
        "--entryPoints.websecure.address=:443",
        "--entryPoints.websecure.http.tls=true",
        "--entrypoints.websecure.http.tls.certresolver=le",
        "--entrypoints.websecure.http.tls.domains[0].main=example.com",
        "--entrypoints.websecure.http.tls.domains[0].sans=*.example.com,www.example.org",
        "--entrypoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/8,127.0.0.1",
        "--entrypoints.websecure.transport.respondingTimeouts.readTimeout=42",
        "--certificatesresolvers.le.acme.email=you@example.com",
        "--certificatesresolvers.le.acme.storage=/letsencrypt/acme.json",
        "--certificatesresolvers.le.acme.httpchallenge=true",
        "--certificatesresolvers.le.acme.httpchallenge.entrypoint=web",
        "--serversTransport.insecureSkipVerify",
    )
    assert problems == []
    assert static.log.level == "debug"
    assert static.access_log is not None
    assert static.access_log.fields_.headers.names == {"User-Agent": "keep"}
    assert static.ping is not None
    assert static.providers.file is not None
    assert static.providers.file.directory == "/etc/traefik/dynamic"
    assert static.providers.providers_throttle_duration == 1.0
    web, secure = static.entry_points["web"], static.entry_points["websecure"]
    assert web.http.redirections.entry_point is not None
    assert web.http.redirections.entry_point.to == "websecure"
    assert secure.http.tls is not None
    assert secure.http.tls.cert_resolver == "le"
    assert secure.http.tls.domains[0].names == ("example.com", "*.example.com", "www.example.org")
    assert secure.forwarded_headers.trusted_ips == ("10.0.0.0/8", "127.0.0.1")
    assert secure.transport.responding_timeouts.read_timeout == 42.0
    acme = static.certificates_resolvers["le"].acme
    assert acme is not None
    assert (acme.email, acme.storage) == ("you@example.com", "/letsencrypt/acme.json")
    assert acme.http_challenge is not None
    assert acme.http_challenge.entry_point == "web"
    assert static.servers_transport.insecure_skip_verify


def test_the_docker_provider() -> None:
    """Containers as Traefik's documentation has it, and further engines, which are ours."""
    static, problems = load(
        "--providers.docker",
        "--entrypoints.http.address=:80",
        "--providers.docker.engines.west.endpoint=tcp://10.0.0.2:2376",
        environ={"TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT": "false", "DAEMUN_PROVIDERS_DOCKER_NETWORK": "web"},
    )
    assert problems == []
    docker = static.providers.docker
    assert docker is not None
    assert (docker.exposed_by_default, docker.network) == (False, "web")
    assert docker.providers()["docker-west"].endpoint == "tcp://10.0.0.2:2376"
    assert load("--providers.docker=false", environ={"TRAEFIK_PROVIDERS_DOCKER": "true"})[0].providers.docker is None


def test_the_environment_says_the_same() -> None:
    """A variable is a flag in another spelling."""
    flags, _ = load(
        "--entrypoints.web.address=:80", "--entrypoints.web.http.tls=true", "--providers.file.filename=x.yml"
    )
    environ = {
        "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS": ":80",
        "TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS": "true",
        "DAEMUN_PROVIDERS_FILE_FILENAME": "x.yml",
    }
    variables, problems = load(environ=environ)
    assert problems == []
    assert variables.entry_points == flags.entry_points
    assert variables.providers == flags.providers


def test_flag_over_variable_over_file(tmp_path: Path) -> None:
    """They add up, whatever the case of names; the file's own spelling stays."""
    file = tmp_path / "traefik.toml"
    file.write_text(FILE)
    static, problems = load(
        "--entrypoints.websecure.address=127.0.0.1:8443",
        "--entrypoints.web.address=:80",
        "--ping=false",
        file=file,
        environ={
            "TRAEFIK_ENTRYPOINTS_WEBSECURE_ADDRESS": ":9443",
            "TRAEFIK_LOG_LEVEL": "INFO",
            "DAEMUN_CERTIFICATESRESOLVERS_LE_ACME_STORAGE": "/data/acme.json",
        },
    )
    assert problems == []
    assert static.entry_points["webSecure"].address == "127.0.0.1:8443"
    assert static.entry_points["webSecure"].http.tls is not None
    assert static.log.level == "info"
    assert static.ping is None
    acme = static.certificates_resolvers["le"].acme
    assert acme is not None
    assert (acme.email, acme.storage) == ("a@example.com", "/data/acme.json")
    origins = {name: (gate.origin.file, gate.origin.line) for name, gate in open_gates(static).items()}
    assert origins == {"webSecure": ("--entrypoints.websecure.address", 0), "web": ("--entrypoints.web.address", 0)}
    assert static.place("log", "level").file == "TRAEFIK_LOG_LEVEL"
    assert static.place("certificatesResolvers", "le", "acme", "email").file == str(file)


def test_the_file_is_read_again(tmp_path: Path) -> None:
    """What the file says now counts; the flags stay."""
    file = tmp_path / "daemun.yml"
    file.write_text("log: {level: INFO}\nproviders: {file: {filename: a.yml}}")
    sources = StaticSources(file=file, flags=("--entrypoints.web.address=:80",))
    assert sources.load()[0].log.level == "info"
    file.write_text("log: {level: WARN}\nproviders: {file: {filename: a.yml}}")
    static, _ = sources.load()
    assert (static.log.level, list(static.entry_points)) == ("warn", ["web"])


def test_mistakes_have_the_flag_as_their_place() -> None:
    """A mistyped flag, a wrong value, a word too many; what a mistyped one leaves out is not complained about."""
    assert wrong("--entrypoints.web.addres=:80") == [
        "--entrypoints.web.addres: unknown flag: --entrypoints.web has no 'addres'"
    ]
    assert wrong("--log.level=DEBUGG") == [
        "--log.level: log.level cannot be 'debugg': expected trace, debug, info, warn, error, fatal or panic"
    ]
    assert wrong("--entrypoints.web.http.tls") == ["--entrypoints.web.http.tls: entryPoints.web.address is missing"]
    assert wrong("--ping", "daemun.toml") == ["daemun.toml: 'daemun.toml' is no flag"]
    assert wrong(environ={"TRAEFIK_ENTRYPOINTS_WEB_ADDRES": ":80"}) == [
        "TRAEFIK_ENTRYPOINTS_WEB_ADDRES: unknown variable: TRAEFIK_ENTRYPOINTS_WEB has no 'addres'"
    ]
    assert wrong("--http.routers.x.rule=y") == ["--http.routers.x.rule: 'http' does not belong here"]


def test_what_comes_later_is_said_of_the_flag() -> None:
    """Options of Traefik that are not served yet are a warning with the flag as place; the rest works."""
    static, problems = load("--metrics.prometheus=true", "--entrypoints.web.http3", "--entrypoints.web.address=:80")
    assert list(static.entry_points) == ["web"]
    said = {(problem.kind, str(problem.place)) for problem in problems}
    assert ("not_yet", "--metrics.prometheus") in said
    assert ("not_yet", "--entrypoints.web.http3") in said


def test_nothing_at_all() -> None:
    """Without file, flag and variable there is nothing to run, and it is said where a file was looked for."""
    with pytest.raises(ConfigError) as raised:
        load(environ={"HOME": "/h", "DAEMUN_ENGINE": "/x"})
    [problem] = raised.value.problems
    assert "nothing is configured" in problem.message
    assert "/etc/traefik/traefik.toml" in problem.remedy
