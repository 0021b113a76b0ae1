"""h2o (Debian's package): one thread; a peer where HTTP/2 is measured."""

import getpass
from pathlib import Path

from bench import machine
from bench.errors import Unavailable
from bench.peers.running import CLIENT_IDLE, Address, Certificate, Peer, Running, fill, launch
from bench.process import which


def version() -> str:
    """Such as `h2o 2.2.5`."""
    words = machine.first_line([which("h2o"), "--version"]).split()
    return f"h2o {words[2]}"


def start(origin: Address, folder: Path, certificate: Certificate | None = None) -> Running:
    """Starts h2o in front of `origin`, in clear text."""
    if certificate is not None:
        raise Unavailable("h2o is not measured over TLS")
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


def http2(origin: Address, folder: Path) -> Running:
    """The same: it tells HTTP/2 from HTTP/1 by itself."""
    return start(origin, folder)


PEER = Peer(name="h2o", version=version, start=start, http2=http2, plain=False)
