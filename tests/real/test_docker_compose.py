"""A compose file written for Traefik needs only another image name; and nothing in the image runs as root."""

from __future__ import annotations

import base64
import json
import re
import ssl
from pathlib import Path

import pytest

from tests.kit.authority import Authority, Issued
from tests.kit.docker import Container, Docker, in_chroot
from tests.kit.docker_image import build_gate, client, composed
from tests.kit.pebble import Pebble
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Address, Client, Closed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TEXT = (Path(__file__).parent / "traefik_compose" / "docker-compose.yml").read_text().replace("traefik:v3.5", "daemun")
SECURITY = "    security_opt:\n      - no-new-privileges:true\n"
PORTS, CHOWN, DAC_OVERRIDE = 1 << 10, 1 << 0, 1 << 1


@pytest.fixture
def gate(docker: Docker) -> Docker:
    """The engine, with Daemun's image, and something small under the name of the one that the file has behind it."""
    build_gate(docker)
    docker.image("busybox")
    client(docker, "tag", "busybox", "traefik/whoami")
    return docker


def kept(file: Path, issued: Issued) -> None:
    """An acme.json with this certificate, as Traefik leaves it: root's, and nobody else's to read."""
    encoded = {
        "certificate": base64.b64encode(issued.chain.encode()).decode(),
        "key": base64.b64encode(issued.key.encode()).decode(),
    }
    entry = {"domain": {"main": issued.names[0]}, **encoded, "Store": "default"}
    file.write_text(json.dumps({"le": {"Account": None, "Certificates": [entry]}}))
    file.chmod(0o600)


def secured(address: Address, authority: Authority, name: str) -> Client:
    """A verified connection, as soon as there is one."""

    def connection() -> Client | None:
        asking = Client(address)
        try:
            asking.secure(authority.trusting(), name)
        except (OSError, Closed):  # an ssl.SSLError is one
            asking.close()
            return None
        return asking

    made = until(connection, what=f"a certificate of {name}", limit=LIMIT * 2)
    assert made is not None
    return made


@pytest.mark.parametrize(
    "security",
    [SECURITY, "", "    cap_drop: [ALL]\n    cap_add: [NET_BIND_SERVICE]\n"],
    ids=["as it stands", "usual rights", "cap_drop ALL"],
)
def test_only_the_image_is_another(gate: Docker, tmp_path: Path, security: str) -> None:
    """Docker's socket, a key of root's, Traefik's acme.json and its log files are used, whose owner nobody has changed."""
    assert SECURITY in TEXT
    authority = Authority()
    for name in ("certs", "dynamic", "letsencrypt", "logs"):
        (tmp_path / name).mkdir()
    _, key = authority.issue("whoami.docker.localhost").write(tmp_path / "certs", "local")
    key.chmod(0o600)
    pair = "{certFile: /certs/local.crt, keyFile: /certs/local.key}"
    (tmp_path / "dynamic" / "tls.yaml").write_text(f"tls: {{certificates: [{pair}]}}\n")
    kept(tmp_path / "letsencrypt" / "acme.json", authority.issue("kept.example.com", days=60))
    log = tmp_path / "logs" / "access.log"
    log.touch(mode=0o644)
    with composed(gate, tmp_path, TEXT.replace(SECURITY, security)) as project:
        address = project.address("traefik", 443)
        with secured(address, authority, "kept.example.com") as asking:
            assert asking.request(host="kept.example.com").status == 200
        with secured(address, authority, "whoami.docker.localhost") as asking:
            assert asking.request(host="whoami.docker.localhost", target="/index.html").status == 200
        until(lambda: '"GET /index.html HTTP/1.1"' in log.read_text(), what="the line in Traefik's log")
        if not in_chroot():  # health checks see the machine's root there
            (daemun,) = (one for one in gate.containers() if one.name == "traefik")
            until(lambda: daemun.health == "healthy", what="the health check", limit=LIMIT * 2)


@pytest.mark.parametrize("mounted", ["directory", "file"])
def test_a_certificate_is_obtained(gate: Docker, tmp_path: Path, mounted: str) -> None:
    """What is mounted for `acme.json` is root's, as people make it: a directory, or the file itself (`touch`, 0600)."""
    web = gate.run(labels={"traefik.http.routers.app.rule": "Host(`app.example.test`)"})
    until(lambda: web.running, what="the application")
    storage = tmp_path / "storage"
    if mounted == "file":
        storage.touch(mode=0o600)
    else:
        storage.mkdir()
    inside = "/acme.json" if mounted == "file" else "/letsencrypt/acme.json"
    outside = storage if mounted == "file" else storage / "acme.json"
    with Pebble() as ca:
        daemun = gate.run(
            "daemun",
            [
                "--providers.docker=true",
                f"--entrypoints.web.address=127.0.0.1:{ca.http_port}",
                f"--entrypoints.websecure.address=127.0.0.1:{ca.tls_port}",
                "--entrypoints.websecure.http.tls.certresolver=le",
                "--certificatesresolvers.le.acme.email=admin@example.test",
                f"--certificatesresolvers.le.acme.caserver={ca.directory}",
                "--certificatesresolvers.le.acme.cacertificates=/root.pem",
                f"--certificatesresolvers.le.acme.storage={inside}",
                "--certificatesresolvers.le.acme.httpchallenge.entrypoint=web",
                "--log.level=INFO",
            ],
            more={
                "HostConfig": {
                    "NetworkMode": "host",
                    "Binds": [
                        f"{gate.socket}:/var/run/docker.sock:ro",
                        f"{ca.root}:/root.pem:ro",
                        f"{storage}:{inside if mounted == 'file' else '/letsencrypt'}",
                    ],
                }
            },
        )
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.load_verify_locations(cadata=ca.roots()[0])

        def status() -> int:
            with Client(("127.0.0.1", ca.tls_port)) as asking:
                asking.secure(trusting, "app.example.test")
                return asking.request(host="app.example.test").status

        def served() -> bool:
            assert daemun.running, daemun.logs()
            try:
                return status() == 200
            except (OSError, Closed):
                return False

        try:
            until(served, what="the application over https", limit=LIMIT * 2)
        except AssertionError:
            print(daemun.logs())
            raise
    assert json.loads(outside.read_text())["le"]["Certificates"][0]["domain"]["main"] == "app.example.test"
    assert outside.stat().st_mode & 0o777 == 0o600


def processes(docker: Docker, container: Container) -> dict[str, tuple[int, int]]:
    """Daemun's processes by name and number: their user, and the rights that they may use."""
    script = "grep -H -E '^(Name|Uid|CapPrm):' /proc/[0-9]*/status"
    fields: dict[str, dict[str, str]] = {}
    for line in client(docker, "exec", container.id, "sh", "-c", script).splitlines():
        path, name, value = line.split(":", 2)
        fields.setdefault(path, {})[name] = value.split()[0]
    found = {f"{one['Name']} {path.split('/')[2]}": one for path, one in fields.items() if len(one) == len("NUC")}
    return {
        name: (int(one["Uid"]), int(one["CapPrm"], 16))
        for name, one in found.items()
        if not re.match(r"(sh|grep) ", name)
    }


@pytest.mark.xfail(in_chroot(), reason="in a chroot `docker exec` sees the machine's root")
def test_nobody_is_root(gate: Docker) -> None:
    """First process and control plane are `daemun` with what they need for files; who faces the network lacks even that."""
    daemun = gate.run("daemun", ["--providers.docker=true", "--entrypoints.web.address=:80", "--log.level=INFO"])
    until(lambda: "listening" in daemun.logs(), what="the listener", limit=LIMIT * 2)
    found = processes(gate, daemun)
    first = found.pop("daemun-engine 1")
    assert first == (1000, PORTS | CHOWN | DAC_OVERRIDE)
    (engine,) = [name for name in found if name.startswith("daemun-engine")]
    assert found.pop(engine) == (1000, PORTS)
    (plane,) = found.values()
    assert plane == first
    assert '"stays_root"' not in daemun.logs()


def test_who_may_not_become_another_is_told(gate: Docker) -> None:
    """Without the right to it, the first process stays root without rights, and says what would help."""
    dropped = {"HostConfig": {"CapDrop": ["ALL"]}}
    daemun = gate.run("daemun", ["--entrypoints.web.address=:80", "--log.level=INFO"], more=dropped)
    until(lambda: "listening" in daemun.logs(), what="the listener", limit=LIMIT * 2)
    assert '"event":"stays_root"' in daemun.logs()
    assert "cap_add: [SETUID, SETGID]" in daemun.logs()


def test_a_log_at_standard_output(gate: Docker) -> None:
    """A file that leads to an output of the container's, opened by its path."""
    flags = [
        "--entrypoints.web.address=:80",
        "--accesslog.filepath=/dev/stdout",
        "--ping=true",
        "--ping.entrypoint=web",
    ]
    daemun = gate.run("daemun", flags)

    def pinged() -> bool:
        try:
            with Client((daemun.address(), 80)) as asking:
                return asking.request(target="/ping").status == 200
        except (OSError, Closed):
            return False

    until(pinged, what="the answer", limit=LIMIT * 2)
    with Client((daemun.address(), 80)) as asking:
        assert asking.request(target="/nothing").status == 404
    until(lambda: '"GET /nothing HTTP/1.1" 404' in daemun.logs(), what="the line")
