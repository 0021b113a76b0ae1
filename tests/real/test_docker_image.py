"""Daemun in a container, and the compose files of examples/docker: built and started with a real Docker engine."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.kit.docker import Container, Docker, in_chroot
from tests.kit.docker_image import EXAMPLES, build_application, build_gate, client, up
from tests.kit.engine import ROOT
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Address, Client, Closed, Response

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
COMPOSE = sorted(path for path in EXAMPLES.glob("*.yml") if "services" in yaml.safe_load(path.read_text()))
WEB = "--entrypoints.web.address=:80"


@pytest.fixture
def gate(docker: Docker) -> Docker:
    """The engine, with Daemun's image."""
    build_gate(docker)
    return docker


@pytest.fixture
def application(gate: Docker) -> Docker:
    """The engine, with Daemun's image and the examples' application."""
    build_application(gate)
    return gate


def get(address: Address, *, host: str, target: str = "/") -> Response:
    with Client(address) as asking:
        return asking.request(host=host, target=target)


def served(address: Address, *, host: str, status: int = 200) -> Response:
    """The answer, once it is this one. While the gate starts, whoever publishes its port closes connections at once."""

    def asked() -> Response | None:
        try:
            answer = get(address, host=host)
        except (OSError, Closed):
            return None
        return answer if answer.status == status else None

    answer = until(asked, what=f"{status} for {host}", limit=LIMIT * 2)
    assert answer is not None
    return answer


def inside(docker: Docker, container: Container, *words: str) -> str:
    return client(docker, "exec", container.id, *words)


@pytest.mark.xfail(in_chroot(), reason="in a chroot `docker exec` and health checks see the machine's root")
def test_in_a_container(gate: Docker) -> None:
    """A low port, no command; well by both health checks; the control plane may die; TERM ends with 0."""
    daemun = gate.run(
        "daemun",
        ["--providers.docker=true", WEB, "--log.level=INFO"],
        volumes=[f"{gate.socket}:/var/run/docker.sock:ro"],
    )
    address = (daemun.address(), 80)
    gate.run(labels={"traefik.http.routers.web.rule": "Host(`web.localhost`)"}, name="web")
    until(lambda: "listening" in daemun.logs(), what="the listener", limit=LIMIT * 2)
    served(address, host="web.localhost")
    assert inside(gate, daemun, "daemun", "ping").startswith("OK: ")
    assert inside(gate, daemun, "traefik", "healthcheck").startswith("OK: ")
    until(lambda: daemun.health == "healthy", what="the health check", limit=LIMIT * 2)
    assert inside(gate, daemun, "cat", "/proc/1/comm") == "daemun-engine"
    with Client(address) as kept:
        assert kept.request(host="web.localhost").status == 200
        plane = inside(gate, daemun, "cat", "/run/daemun/lock")
        inside(gate, daemun, "sh", "-c", f"kill -9 {plane}")
        assert kept.request(host="web.localhost").status == 200
        until(lambda: "engine adopted" in daemun.logs(), what="the next control plane")
        assert inside(gate, daemun, "cat", "/run/daemun/lock") != plane
        assert kept.request(host="web.localhost").status == 200
    daemun.stop()
    assert daemun.wait() == 0
    assert '"stopped"' in daemun.logs()


def test_a_wrong_flag_ends_it(gate: Docker) -> None:
    """A start that fails shows why, and ends the container with 1."""
    daemun = gate.run("daemun", ["--nope=1"])
    assert daemun.wait() == 1
    assert "--nope" in daemun.logs()


@pytest.mark.parametrize("dropped", [[], ["ALL"]], ids=["usual rights", "cap_drop ALL"])
def test_low_ports_by_capability(gate: Docker, dropped: list[str]) -> None:
    """In the machine's network a port below 1024 takes the capability; without it the image runs, and says what it lacks."""
    host = {"HostConfig": {"NetworkMode": "host", "CapDrop": dropped}}
    daemun = gate.run("daemun", ["proxy", "--listen", "127.0.0.1:97", "--to", "http://127.0.0.1:1"], more=host)
    if dropped:
        assert daemun.wait() == 1
        assert "permission denied (ports below 1024 need a privilege)" in daemun.logs()
    else:
        until(lambda: "listening" in daemun.logs(), what="the listener")
        assert get(("127.0.0.1", 97), host="localhost").status == 502


def test_example_fastapi(application: Docker) -> None:
    """Three instances of FastAPI share what comes over https; http leads there."""
    with up(application, "fastapi.yml", "--scale", "fastapi=3") as example:
        plain, secure = (example.address("daemun", port) for port in (80, 443))
        served(plain, host="yourdomain.com", status=301)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        seen = set()

        def all_three() -> bool:
            with Client(secure) as asking:
                try:
                    asking.secure(context, "yourdomain.com")
                except ssl.SSLError:  # until a router speaks TLS there
                    return False
                answer = asking.request(host="yourdomain.com")
            if answer.status == 200:
                seen.add(json.loads(answer.body)["instance"])
            return len(seen) == 3

        until(all_three, what="answers of all three", limit=LIMIT * 2)


def test_example_websocket(application: Docker) -> None:
    """A WebSocket goes through; who does not ask to be seen is not."""
    from websockets.sync.client import connect

    with up(application, "websocket.yml") as example:
        host, port = example.address("daemun", 80)
        served((host, port), host="localhost")
        with connect(f"ws://localhost:{port}/ws", sock=None) as socket:
            socket.send("hello")
            assert str(socket.recv(LIMIT)).endswith(": hello")
        assert "lacks the label traefik.enable=true" in example.logs("daemun")


def test_example_two_networks(application: Docker) -> None:
    """The application is reached over the network that is named."""
    with up(application, "two-networks.yml") as example:
        served(example.address("daemun", 80), host="shop.localhost")
        assert "example_back" not in example.logs("daemun")


@pytest.mark.xfail(in_chroot(), reason="in a chroot `docker exec` and health checks see the machine's root")
def test_example_socket_proxy(application: Docker) -> None:
    """Daemun needs no socket: a read-only proxy before it suffices, and lets nothing else through."""
    with up(application, "socket-proxy.yml") as example:
        served(example.address("daemun", 80), host="localhost")
        gate = next(one for one in application.containers() if one.name.startswith("example_daemun"))
        ask = "import http.client as h, sys; c = h.HTTPConnection('socket-proxy', 2375); c.request(*sys.argv[1:]); print(c.getresponse().status)"
        for method, path, status in (
            ("GET", "/v1.41/containers/json", "200"),
            ("POST", "/v1.41/containers/create", "404"),
            ("DELETE", f"/v1.41/containers/{gate.id}", "404"),
            ("GET", "/v1.41/images/json", "404"),
            ("GET", "/v1.41/containers/json/../../images/json", "404"),
            ("GET", f"/v1.41/containers/{gate.id}/archive?path=/etc", "404"),
        ):
            assert inside(application, gate, "/opt/daemun/bin/python", "-c", ask, method, path) == status, (
                method,
                path,
            )


@pytest.mark.parametrize("file", COMPOSE, ids=lambda path: path.name)
def test_what_examples_say_is_right(file: Path, tmp_path: Path) -> None:
    """Compose reads each example, and `daemun check` finds nothing wrong with the flags of its gates."""
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("no docker-compose: `tools/setup.sh test` installs it")
    subprocess.run([compose, "-f", str(file), "config", "--quiet"], check=True)
    for service in yaml.safe_load(file.read_text())["services"].values():
        if service["image"] != "daemun":
            continue
        flags = [
            word.replace("/etc/daemun/socket-proxy.yml", str(EXAMPLES / "socket-proxy-routes.yml"))
            for word in service["command"]
        ]
        checked = subprocess.run(
            [sys.executable, "-m", "daemun", "check", "--json", *flags],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        # Whether this machine has a Docker engine is not the example's affair.
        wrong = [problem for problem in json.loads(checked.stdout) if "/var/run/docker.sock" not in problem["message"]]
        assert wrong == [], checked.stderr
