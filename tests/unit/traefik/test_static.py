"""The static configuration: Traefik's defaults, and what comes later."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.errors import ConfigError
from daemun.traefik.read import load_static
from daemun.traefik.static import Providers, Static

SEED = Path(__file__).parents[2] / "seed"


def test_traefik_defaults() -> None:
    """What the file does not say is what Traefik would do."""
    static = Static()
    assert static.providers.providers_throttle_duration == 2
    assert static.log.level == "error"
    assert static.access_log is None
    assert static.ping is None
    assert static.entry_points == {}


def test_a_whole_file() -> None:
    """Every option of this issue is read, in TOML."""
    static, problems = load_static("""
[global]
checkNewVersion = false
sendAnonymousUsage = true
[entryPoints.web]
address = "127.0.0.1:8080"
asDefault = true
[entryPoints.web.http]
middlewares = ["a@file"]
maxHeaderBytes = 65536
sanitizePath = false
encodeQuerySemicolons = true
[entryPoints.web.http.redirections.entryPoint]
to = ":8443"
scheme = "https"
permanent = false
priority = 7
[entryPoints.web.forwardedHeaders]
insecure = true
trustedIPs = ["10.0.0.0/8", "::1"]
connection = ["X-Foo"]
notAppendXForwardedFor = true
[entryPoints.web.transport]
keepAliveMaxRequests = 100
keepAliveMaxTime = "1m"
[entryPoints.web.transport.lifeCycle]
requestAcceptGraceTimeout = 3
graceTimeOut = "20s"
[entryPoints.web.transport.respondingTimeouts]
readTimeout = "1m30s"
writeTimeout = 0
idleTimeout = 90
[providers]
providersThrottleDuration = "500ms"
[providers.file]
directory = "conf.d"
watch = false
[log]
level = "DEBUG"
format = "json"
filePath = "daemun.log"
[accessLog]
format = "json"
bufferingSize = 100
[accessLog.filters]
statusCodes = ["200", "500-599"]
minDuration = "10ms"
retryAttempts = true
[accessLog.fields.names]
ClientUsername = "drop"
[ping]
entryPoint = "web"
terminatingStatusCode = 204
""")
    assert problems == []
    web = static.entry_points["web"]
    assert (web.host, web.port, web.as_default) == ("127.0.0.1", 8080, True)
    assert web.transport.responding_timeouts.read_timeout == 90
    assert web.transport.life_cycle.grace_time_out == 20
    assert web.forwarded_headers.trusted_ips == ("10.0.0.0/8", "::1")
    assert static.providers.file is not None
    assert static.providers.file.directory == "conf.d"
    assert static.log.level == "debug"
    assert static.ping is not None
    assert static.ping.terminating_status_code == 204
    assert {name: place.line for name, place in static.origins.items()} == {"web": 5}


@pytest.mark.parametrize("name", [*Static.not_yet, *(f"providers.{name}" for name in Providers.not_yet)])
def test_everything_traefik_knows_is_known(name: str) -> None:
    """An option that comes later is a located warning, never an error and never silence."""
    text = f'[entryPoints.web]\naddress = ":80"\n[{name}]\nx = 1\n'
    _, problems = load_static(text)
    [problem] = [one for one in problems if one.kind == "not_yet"]
    assert problem.severity == "warning"
    assert name.rpartition(".")[2] in problem.message
    assert problem.place is not None
    assert problem.place.line == 3


@pytest.mark.parametrize("name", ["http", "tcp", "udp", "tls"])
def test_dynamic_sections_are_sent_where_they_belong(name: str) -> None:
    """A dynamic section in the static file is an error that says where it belongs."""
    with pytest.raises(ConfigError, match="belongs to the dynamic configuration") as caught:
        load_static(f"[{name}.routers.a]\nrule = 'x'\n")
    assert caught.value.problems[0].kind == "placement"


def test_an_unknown_name_is_an_error_with_the_nearest() -> None:
    """A typing error is found."""
    with pytest.raises(ConfigError, match="did you mean 'entryPoints'"):
        load_static("[entryPoint.web]\naddress = ':80'\n")


def test_names_have_no_case() -> None:
    """As in Traefik, the case of option names does not matter."""
    static, _ = load_static("[ENTRYPOINTS.Web]\nADDRESS = ':81'\n[Providers.File]\nFILENAME='x'\n")
    assert static.entry_points["Web"].port == 81
    assert static.providers.file is not None


def test_the_seed_is_accepted() -> None:
    """Nothing is said of the user's development file; of the other that it lacks a provider."""
    assert load_static(SEED / "traefik-dev.toml")[1] == []
    [problem] = load_static(SEED / "traefik-prod.toml")[1]
    assert "nothing will be routed" in problem.message
