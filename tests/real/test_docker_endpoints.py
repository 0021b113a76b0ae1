"""The ways to a real Docker engine: tcp, TLS with certificates of both sides, a password, ssh; and what is said when one fails."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.daemun import ControlPlane, Instance
from tests.kit.docker import Docker
from tests.kit.engine import TEST_RUN
from tests.kit.ports import free_ports
from tests.kit.recorder import Recorder
from tests.kit.waiting import LIMIT, until

WEB = {"traefik.http.routers.web.rule": "PathPrefix(`/`)", "traefik.http.services.web.loadbalancer.server.port": "80"}
STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[log]
level = "INFO"
[providers.docker]
{options}
"""


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance() as instance:
        yield instance


def follow(instance: Instance, options: str, *, ready: bool = True) -> ControlPlane:
    instance.write("daemun.toml", STATIC.format(options=options))
    return instance.run(ready=ready)


def is_served(instance: Instance) -> None:
    """Wait for a container's answer."""
    until(lambda: instance.get("/").status == 200, what="the container's answer")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def secured(authority: Authority) -> Iterator[tuple[Docker, int, Path]]:
    """An engine on TCP that shows a certificate and asks for one; in the folder is what a client needs."""
    with tempfile.TemporaryDirectory(prefix="daemun-tls-") as name:
        folder = Path(name)
        (folder / "ca.pem").write_text(authority.root)
        chain, key = authority.issue("127.0.0.1").write(folder, "server")
        authority.issue("client").write(folder, "client")
        [port] = free_ports(1)
        options = ["--host", f"tcp://127.0.0.1:{port}", "--tlsverify", "--tlscacert", str(folder / "ca.pem")]
        with Docker(options=[*options, "--tlscert", str(chain), "--tlskey", str(key)]) as docker:
            docker.run(name="one", labels=WEB)
            yield docker, port, folder


def test_tls(instance: Instance, secured: tuple[Docker, int, Path]) -> None:
    """Files named relative to the static file."""
    docker, port, folder = secured
    for name in ("ca.pem", "client.crt", "client.key"):
        shutil.copy(folder / name, instance.path / name)
    tls = 'tls = {ca = "ca.pem", cert = "client.crt", key = "client.key"}'
    follow(instance, f'endpoint = "tcp://127.0.0.1:{port}"\n{tls}')
    is_served(instance)
    docker.run(name="two", labels=WEB)
    until(lambda: instance.get("/").body == b"two\n", what="the other one, told of by an event")


def test_tls_with_texts(instance: Instance, secured: tuple[Docker, int, Path]) -> None:
    """PEM texts in the place of files, as elsewhere."""
    _, port, folder = secured
    texts = [f'{name} = """{(folder / file).read_text()}"""' for name, file in PARTS.items()]
    follow(instance, f'endpoint = "tcp://127.0.0.1:{port}"\n[providers.docker.tls]\n' + "\n".join(texts))
    is_served(instance)


PARTS = {"ca": "ca.pem", "cert": "client.crt", "key": "client.key"}


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        ("", "if it speaks TLS, say so with providers.docker.tls"),
        ("tls = {}", "certificate verify failed"),
        ('tls = {ca = "missing.pem"}', "cannot read missing.pem: No such file or directory"),
        ('tls = {ca = "broken.pem"}', "tls.ca, tls.cert or tls.key cannot be used"),
        ("tls = {insecureSkipVerify = true}", "certificate"),
    ],
)
def test_what_is_wrong_with_tls_is_said(
    instance: Instance, secured: tuple[Docker, int, Path], tls: str, words: str
) -> None:
    """And nothing else is kept from working."""
    _, port, _ = secured
    instance.write("broken.pem", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    plane = follow(instance, f'endpoint = "tcp://127.0.0.1:{port}"\n{tls}')
    until(lambda: words in plane.log, what=f"{words!r} in the log")
    assert instance.get("/").status == 404


def test_tcp_with_a_password(docker: Docker, instance: Instance) -> None:
    """It goes along with every request, to what stands before the engine."""
    docker.run(name="one", labels=WEB)
    with Recorder(docker.socket, tcp=True) as recorder:
        options = f'endpoint = "{recorder.endpoint}"\nusername = "me"\npassword = "secret"'
        plane = follow(instance, options)
        is_served(instance)
        wanted = b"Authorization: Basic " + base64.b64encode(b"me:secret")
        assert recorder.heads
        assert all(wanted in head for head in recorder.heads)
        assert "secret" not in plane.log


def test_who_is_refused_is_told_what_is_needed(instance: Instance) -> None:
    """A proxy that lets nothing through."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_forbid, args=(listener,), daemon=True).start()
        plane = follow(instance, f'endpoint = "tcp://127.0.0.1:{listener.getsockname()[1]}"')
        until(lambda: "must let through GET of /version" in plane.log, what="the remedy in the log")
        assert "it answers 403 to GET /v1.44/version: no" in plane.log
        listener.shutdown(socket.SHUT_RDWR)


def _forbid(listener: socket.socket) -> None:
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A real sshd on a port of its own that lets in one key."""
    program = shutil.which("sshd", path=f"/usr/sbin:{os.environ['PATH']}")
    if program is None or shutil.which("docker") is None or os.geteuid() != 0:
        pytest.skip("ssh to a Docker engine needs root, sshd and the docker command")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    [port] = free_ports(1)
    Path("/run/sshd").mkdir(exist_ok=True)
    (tmp_path / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/user.pub\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n"
    )
    # Whoever uses ssh has ~/.ssh/config; a test has a file of its own.
    wrapper = tmp_path / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {tmp_path}/config "$@"\n')
    wrapper.chmod(0o755)
    (tmp_path / "config").write_text(
        f"IdentityFile {tmp_path}/user\nUserKnownHostsFile {tmp_path}/known\nLogLevel ERROR\nIdentitiesOnly yes\n"
    )
    host = (tmp_path / "host.pub").read_text()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {host}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", program, "-D", "-e", "-f", str(tmp_path / "sshd_config")],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DAEMUN_TEST": TEST_RUN},
    )
    try:
        until(lambda: _listens(port), what="sshd")
        yield port
    finally:
        process.kill()
        process.wait(LIMIT)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def test_ssh(docker: Docker, instance: Instance, sshd: int) -> None:
    """As the docker command does it; nothing of it is left when Daemun ends."""
    docker.run(name="one", labels=WEB)
    plane = follow(instance, f'endpoint = "ssh://root@127.0.0.1:{sshd}{docker.socket}"')
    is_served(instance)
    docker.run(name="two", labels=WEB)
    until(lambda: instance.get("/").body == b"two\n", what="the other one, told of by an event")
    children = _children(plane.pid)
    assert plane.stop() == 0
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in children), what="the end of ssh")


def test_what_ssh_complains_about_is_said(instance: Instance, sshd: int, tmp_path: Path) -> None:
    """Its own words, once."""
    (tmp_path / "known").write_text("")
    plane = follow(instance, f'endpoint = "ssh://root@127.0.0.1:{sshd}"')
    until(lambda: "ssh: Host key verification failed." in plane.log, what="ssh's words in the log")


def test_nothing_listens(instance: Instance) -> None:
    """Said once, however often it is tried."""
    [port] = free_ports(1)
    plane = follow(instance, f'endpoint = "tcp://127.0.0.1:{port}"')
    until(lambda: "cannot be reached" in plane.log, what="the failure in the log")
    assert plane.log.count("cannot be reached") == 1


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
