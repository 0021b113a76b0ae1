"""h2o (Debian's package): one thread, for HTTP/2 only."""

import getpass
from pathlib import Path

from bench import machine
from bench.peers.running import CLIENT_IDLE, Address, Peer, Running, fill, launch
from bench.process import which


def version() -> str:
    """Such as `h2o 2.2.5`."""
    words = machine.first_line([which("h2o"), "--version"]).split()
    return f"h2o {words[2]}"


def http2(origin: Address, folder: Path) -> Running:
    """Starts h2o in front of `origin`."""
    address = ("127.0.0.1", machine.free_port())
    values = {
        "user": getpass.getuser(),
        "folder": folder,
        "idle": CLIENT_IDLE,
        "origin": "{}:{}".format(*origin),
        "host": address[0],
        "port": address[1],
    }
    config = fill("h2o.conf", folder, values)
    return launch("h2o", [which("h2o"), "-c", str(config)], address)


PEER = Peer(name="h2o", version=version, http2=http2)
