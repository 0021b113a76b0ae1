"""The floor: a relay that parses nothing (bench/origin/src/relay.rs). What it costs, no proxy on epoll can go below."""

from pathlib import Path

from bench import machine
from bench.peers.running import Address, Certificate, Peer, Running, launch

BUILT = Path(__file__).parents[1] / "origin" / "target" / "release" / "bench-relay"


def version() -> str:
    """It is built with the origin."""
    return "a relay that parses nothing"


def start(origin: Address, _folder: Path, _certificate: Certificate | None = None) -> Running:
    """Starts it in front of `origin`."""
    address = ("127.0.0.1", machine.free_port())
    command = [str(BUILT), "{}:{}".format(*address), "{}:{}".format(*origin)]
    return launch("relay", command, address)


PEER = Peer(name="relay", version=version, start=start, floor=True)
