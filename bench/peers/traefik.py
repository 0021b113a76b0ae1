"""Traefik, where the environment says TRAEFIK=path: Go, so one thread means GOMAXPROCS=1."""

import os
import subprocess
from pathlib import Path

from bench import machine
from bench.errors import Unavailable
from bench.peers import traefik_files
from bench.peers.running import Address, Certificate, Peer, Running, launch


def _binary() -> str:
    path = os.environ.get("TRAEFIK")
    if not path or not Path(path).is_file():
        raise Unavailable("Traefik is not here; TRAEFIK=path names its binary")
    return path


def version() -> str:
    """Such as `Traefik 3.7.3`."""
    result = subprocess.run([_binary(), "version"], capture_output=True, text=True, timeout=30, check=False)
    found = [line.split()[-1] for line in result.stdout.splitlines() if line.startswith("Version:")]
    return f"Traefik {found[0]}" if found else "Traefik"


def start(origin: Address, folder: Path, certificate: Certificate | None = None) -> Running:
    """Starts Traefik in front of `origin`; the bed waits until its router answers."""
    if certificate is not None:
        raise Unavailable("Traefik is measured in clear text only")
    address = ("127.0.0.1", machine.free_port())
    dynamic = folder / "dynamic.yml"
    dynamic.write_text(traefik_files.dynamic([origin], [traefik_files.EVERYTHING]))
    config = traefik_files.static(folder, address, dynamic)
    command = [_binary(), f"--configFile={config}"]
    return launch("traefik", command, address, env={"GOMAXPROCS": "1", "HOME": str(folder)})


PEER = Peer(name="traefik", version=version, start=start)
