"""Daemun's own image, built by the Dockerfile of the checkout, and the compose files of examples/docker.

Nothing is pulled: `debian:bookworm-slim` is made by debootstrap and kept under .cache; the wheel in the image holds the
engine that is tested. The examples' application has a stand-in with the kit's FastAPI image below it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.docker import Docker
from tests.kit.docker_images import CACHE
from tests.kit.engine import ROOT

EXAMPLES = ROOT / "examples" / "docker"
BASE = "debian:bookworm-slim"
GATE = "daemun"
APPLICATION = "daemun-example-app"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# With what lets apt and pip work in a build as they do on this machine.
RECIPE = """
set -eu
debootstrap --variant=minbase bookworm "$1"
rm -rf "$1"/var/cache/apt/archives/*.deb
for name in etc/resolv.conf etc/ssl/certs/ca-certificates.crt usr/local/share/ca-certificates; do
    [ ! -e "/$name" ] || { mkdir -p "$1/${name%/*}"; cp -RL "/$name" "$1/${name%/*}/"; }
done
tar -C "$1" --exclude ./dev/\\* --exclude ./proc/\\* --exclude ./sys/\\* -cf "$2" .
"""
# On port 80, which the image below it exposes: the lowest port is the one that is taken.
STAND_IN = """
FROM fastapi
COPY websockets /usr/local/lib/python3.11/dist-packages/websockets
COPY app.py /app/app.py
CMD ["python3", "-m", "uvicorn", "app:app", "--app-dir", "/app", "--host", "0.0.0.0", "--port", "80"]
HEALTHCHECK --interval=1s CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1/')"]
"""


def client(docker: Docker, *words: str, directory: Path | None = None, limit: float = 500) -> str:
    """Debian's `docker` with this engine; what it writes. AssertionError when it fails."""
    return _run(docker, "/usr/bin/docker", *words, directory=directory, limit=limit)


def compose(docker: Docker, *words: str, directory: Path) -> str:
    """Debian's `docker-compose` with this engine."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose: `tools/setup.sh test` installs it")
    return _run(docker, program, *words, directory=directory, limit=120)


def build_gate(docker: Docker) -> str:
    """Build Daemun's image, once an engine; its name."""
    if client(docker, "images", "--quiet", GATE):
        return GATE
    base = _base()
    environ = [f"ENV {name}={CERTIFICATES}" for name in ("PIP_CERT", "SSL_CERT_FILE")]
    client(docker, "import", *(word for line in environ for word in ("--change", line)), str(base), BASE)
    with tempfile.TemporaryDirectory(prefix="daemun-gate-") as name:
        context = Path(name)
        for file in ("Dockerfile", ".dockerignore"):
            shutil.copy(ROOT / file, context)
        wheel = ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(context / "dist"), str(ROOT)]
        profile = {"SETUPTOOLS_RUST_CARGO_PROFILE": "dev"}
        subprocess.run([sys.executable, "-m", *wheel], check=True, env={**os.environ, **profile})
        client(docker, "build", "--quiet", "--network", "host", "--tag", GATE, ".", directory=context)
    return GATE


def build_application(docker: Docker) -> str:
    """Make the stand-in of the examples' application; its name."""
    import websockets

    docker.image("fastapi")
    with tempfile.TemporaryDirectory(prefix="daemun-app-") as name:
        context = Path(name)
        shutil.copy(EXAMPLES / "app" / "app.py", context)
        shutil.copytree(Path(websockets.__file__).parent, context / "websockets")
        (context / "Dockerfile").write_text(STAND_IN)
        client(docker, "build", "--quiet", "--tag", APPLICATION, ".", directory=context)
    return APPLICATION


class Composed:
    """A compose file that is up. Its published ports are ports of 127.0.0.1 that the kernel chose."""

    def __init__(self, docker: Docker, directory: Path) -> None:
        self.docker = docker
        self.directory = directory

    def address(self, service: str, port: int) -> tuple[str, int]:
        """Where a published port is."""
        host, _, number = compose(self.docker, "port", service, str(port), directory=self.directory).rpartition(":")
        return host, int(number)

    def logs(self, service: str) -> str:
        return compose(self.docker, "logs", "--no-color", service, directory=self.directory)


@contextlib.contextmanager
def up(docker: Docker, file: str, *words: str) -> Iterator[Composed]:
    """`docker-compose up` with an example, of which only published ports and the socket are others."""
    with tempfile.TemporaryDirectory(prefix="daemun-compose-") as name:
        directory = Path(name)
        for path in EXAMPLES.glob("*.yml"):
            shutil.copy(path, directory)
        text = (EXAMPLES / file).read_text().replace("    build: app\n", "")
        with composed(docker, directory, text, *words) as example:
            yield example


@contextlib.contextmanager
def composed(docker: Docker, directory: Path, text: str, *words: str) -> Iterator[Composed]:
    """`docker-compose up` with this file, of which only published ports and the socket are others."""
    for port in ("80", "443"):
        text = text.replace(f'"{port}:{port}"', f'"127.0.0.1::{port}"')
    (directory / "docker-compose.yml").write_text(text.replace("/var/run/docker.sock:/var", f"{docker.socket}:/var"))
    (directory / ".env").write_text(f"DOCKER_GID={docker.socket.stat().st_gid}\nCOMPOSE_PROJECT_NAME=example\n")
    made = Composed(docker, directory)
    try:
        compose(docker, "up", "--detach", *words, directory=directory)
        yield made
    except BaseException:
        print(compose(docker, "ps", directory=directory), compose(docker, "logs", directory=directory))
        raise
    finally:
        compose(docker, "down", "--volumes", "--timeout", "5", directory=directory)


def _base() -> Path:
    kept = CACHE / "debian-bookworm.tar"
    if not kept.exists():
        if shutil.which("debootstrap", path=f"/usr/sbin:{os.environ['PATH']}") is None:
            pytest.skip("no debootstrap: `tools/setup.sh test` installs it")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="daemun-base-", dir=kept.parent) as work:
            path = {"PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
            made = ["unshare", "--mount", "sh", "-c", RECIPE, "sh", f"{work}/root", f"{work}/base.tar"]
            subprocess.run(made, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **path})
            Path(work, "base.tar").rename(kept)
    return kept


def _run(docker: Docker, *words: str, directory: Path | None, limit: float) -> str:
    environ = {**os.environ, "DOCKER_HOST": docker.host, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(words, env=environ, cwd=directory, capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()
