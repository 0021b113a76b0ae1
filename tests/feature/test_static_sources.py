"""Static configuration by flags and environment, from outside: no command, compose's words, `daemun ping`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.kit.daemun import Instance, gone
from tests.kit.engine import ROOT
from tests.kit.origin import Origin, answering
from tests.kit.ports import free_ports
from tests.kit.waiting import LIMIT, until

WEB = "--entrypoints.web.address=127.0.0.1:0"
DYNAMIC = """
[http.routers.a]
rule = "PathPrefix(`/`)"
service = "s"
[http.services.s.loadBalancer]
servers = [{{url = "http://{address}"}}]
"""


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance() as made, Origin(answering(b"one")) as one:
        made.write("dynamic.toml", DYNAMIC.format(address=one.address))
        yield made


def ping(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daemun", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", "HOME": str(instance.path)}
    return subprocess.run(
        command, env=env, cwd=instance.path, capture_output=True, text=True, check=False, timeout=LIMIT
    )


def test_flags_alone(instance: Instance) -> None:
    """Without command and file, flags written for Traefik serve; both spellings of a value."""
    plane = instance.start(WEB, "--providers.file.filename", "dynamic.toml", "--log.level=INFO", "--accesslog=true")
    assert instance.get("/").body == b"one"
    assert "INF" in plane.log
    assert plane.stop() == 0


def test_a_list_for_traefiks_image(instance: Instance) -> None:
    """A word `traefik` before the flags is passed over."""
    plane = instance.start("traefik", WEB, "--providers.file.filename=dynamic.toml")
    assert instance.get("/").body == b"one"
    assert plane.stop() == 0


def test_environment_alone(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """`daemun` with nothing but variables serves; TRAEFIK_ and DAEMUN_ add up."""
    monkeypatch.setenv("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", "127.0.0.1:0")
    monkeypatch.setenv("DAEMUN_PROVIDERS_FILE_FILENAME", "dynamic.toml")
    monkeypatch.setenv("DAEMUN_LOG_LEVL", "INFO")
    plane = instance.start(ready=False)
    assert plane.wait() == 1
    assert "did you mean 'DAEMUN_LOG_LEVEL'?" in plane.log
    monkeypatch.delenv("DAEMUN_LOG_LEVL")
    monkeypatch.setenv("TRAEFIK_PROVIDRES_FILE_WATCH", "false")
    plane = instance.start()
    assert instance.get("/").body == b"one"
    assert "TRAEFIK_PROVIDRES_FILE_WATCH is no option and is ignored" in plane.log


def test_a_provider_beside_the_file(instance: Instance) -> None:
    """The file is found where it is looked for, a flag adds to it, and it is read again when it changes."""
    instance.write("traefik.yml", "entryPoints: {web: {address: '127.0.0.1:0'}}\nlog: {level: ERROR}\n")
    plane = instance.start("--providers.file.filename=dynamic.toml", "--log.level=INFO")
    assert instance.get("/").body == b"one"
    plane.forget()
    instance.write("traefik.yml", "entryPoints: {web: {address: '127.0.0.1:0'}, more: {address: '127.0.0.1:0'}}\n")
    plane.applied()
    assert instance.get("/", "more").body == b"one"
    # The flag still counts: with the file alone nothing would be said at this level.
    assert "INF" in plane.log.rpartition("applied")[0]
    instance.write("traefik.yml", "entryPoints: {web: {address: 'nonsense'}}\n")
    plane.refused()
    assert instance.get("/", "more").body == b"one"


def test_ping_of_the_running_instance(instance: Instance) -> None:
    """`daemun ping` finds the instance by its state directory, also where the entry point speaks TLS."""
    state = ("--state-dir", str(instance.state))
    assert ping(instance, "ping", *state).returncode == 1
    instance.start(WEB, "--ping", "--entrypoints.traefik.address=127.0.0.1:0")
    shown = ping(instance, "ping", *state)
    assert (shown.returncode, shown.stderr) == (0, "")
    port = instance.address("traefik")[1]
    assert shown.stdout == f"OK: http://127.0.0.1:{port}/ping\n"


def test_ping_over_tls(instance: Instance) -> None:
    """An entry point that terminates TLS is asked over TLS."""
    instance.start(WEB, "--ping.entrypoint=web", "--entrypoints.web.http.tls=true")
    shown = ping(instance, "healthcheck", "--state-dir", str(instance.state))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("OK: https://127.0.0.1:")


def test_ping_without_ping(instance: Instance) -> None:
    """An instance that answers no pings is well when its engine serves: a health check need not know the configuration."""
    plane = instance.start(WEB)
    plane.kill()
    shown = ping(instance, "ping", "--state-dir", str(instance.state))
    assert (shown.returncode, shown.stdout) == (0, "OK: the engine serves (ping is not switched on)\n")
    engine = instance.engine_pid()
    os.kill(engine, signal.SIGKILL)
    until(lambda: gone(engine), what="the end of the engine")
    assert ping(instance, "ping", "--state-dir", str(instance.state)).returncode == 1


def test_healthcheck_as_in_traefik(instance: Instance) -> None:
    """With the instance's own flags it asks the address that these name."""
    [port] = free_ports(1)
    flags = ("--ping=true", f"--entrypoints.traefik.address=127.0.0.1:{port}")
    shown = ping(instance, "healthcheck", *flags)
    assert shown.returncode == 1
    assert f"http://127.0.0.1:{port}/ping does not answer: connection refused" in shown.stderr
    instance.start(WEB, *flags)
    shown = ping(instance, "healthcheck", *flags)
    assert (shown.returncode, shown.stdout) == (0, f"OK: http://127.0.0.1:{port}/ping\n")


def test_another_answers(instance: Instance) -> None:
    """An answer other than 200 is not well."""
    with Origin(answering(b"x", status="503 Service Unavailable")) as other:
        host, _, port = other.address.rpartition(":")
        shown = ping(instance, "ping", "--ping", f"--entrypoints.traefik.address={host}:{port}")
    assert shown.returncode == 1
    assert "answers 503" in shown.stderr


def test_directories_of_logs_are_made(instance: Instance) -> None:
    """As Traefik makes them: a mounted directory need not hold what the flags say below it."""
    logs = instance.path / "logs"
    instance.start(
        WEB,
        "--providers.file.filename=dynamic.toml",
        f"--log.filepath={logs}/own/daemun.log",
        "--log.level=INFO",
        f"--accesslog.filepath={logs}/access/access.log",
    )
    assert instance.get("/something").status == 200
    until(lambda: '"GET /something HTTP/1.1" 200' in (logs / "access" / "access.log").read_text(), what="the line")
    assert "configuration applied" in (logs / "own" / "daemun.log").read_text()
