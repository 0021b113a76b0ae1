"""Caddy (Debian's package): Go, so one thread means GOMAXPROCS=1."""

from pathlib import Path

from bench import machine
from bench.peers.running import CLIENT_IDLE, Address, Certificate, Peer, Running, fill, launch
from bench.process import which


def version() -> str:
    """Such as `Caddy 2.6.2`."""
    return f"Caddy {machine.first_line([which('caddy'), 'version']).split()[0]}"


def start(origin: Address, folder: Path, certificate: Certificate | None = None) -> Running:
    """Starts Caddy in front of `origin`; it writes nothing outside `folder`."""
    address = ("127.0.0.1", machine.free_port())
    values = {"idle": CLIENT_IDLE, "origin": "{}:{}".format(*origin), "port": address[1]}
    values["scheme"] = "https" if certificate else "http"
    values["tls"] = f"tls {certificate.chain} {certificate.key}" if certificate else ""
    config = fill("Caddyfile", folder, values)
    command = [which("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]
    env = {
        "GOMAXPROCS": "1",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    return launch("caddy", command, address, env=env, secure=certificate is not None)


PEER = Peer(name="caddy", version=version, start=start, secure=True)
