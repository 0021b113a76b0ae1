"""Traefik, where the environment says TRAEFIK=path: Go, so one thread means GOMAXPROCS=1."""

import os
import subprocess
from pathlib import Path

from bench import machine
from bench.errors import Unavailable
from bench.peers.running import CLIENT_IDLE, Address, Peer, Running, fill, launch


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


def start(origin: Address, folder: Path) -> Running:
    """Starts Traefik in front of `origin`; it is ready when its router answers, not when it listens."""
    address = ("127.0.0.1", machine.free_port())
    values: dict[str, object] = {"idle": CLIENT_IDLE, "origin": "{}:{}".format(*origin)}
    values["dynamic"] = fill("traefik-dynamic.yml", folder, values)
    values["listen"] = "{}:{}".format(*address)
    config = fill("traefik.yml", folder, values)
    command = [_binary(), f"--configFile={config}"]
    return launch("traefik", command, address, env={"GOMAXPROCS": "1", "HOME": str(folder)})


PEER = Peer(name="traefik", version=version, start=start)
