"""HAProxy (Debian's package): one process, one thread."""

from pathlib import Path

from bench import machine
from bench.peers.running import CLIENT_IDLE, Address, Certificate, Peer, Running, fill, launch
from bench.process import which


def version() -> str:
    """Such as `HAProxy 2.6.12`."""
    words = machine.first_line([which("haproxy"), "-v"]).split()
    return f"HAProxy {words[2]}"


def start(origin: Address, folder: Path, certificate: Certificate | None = None) -> Running:
    """Starts HAProxy in front of `origin`."""
    return _start(origin, folder, certificate, f"ssl crt {certificate.both} alpn http/1.1" if certificate else "")


def http2(origin: Address, folder: Path) -> Running:
    """The same for HTTP/2."""
    return _start(origin, folder, None, "proto h2")


def _start(origin: Address, folder: Path, certificate: Certificate | None, protocol: str) -> Running:
    address = ("127.0.0.1", machine.free_port())
    values = {
        "idle": CLIENT_IDLE,
        "origin": "{}:{}".format(*origin),
        "listen": "{}:{}".format(*address),
        "protocol": protocol,
        "scheme": "https" if certificate else "http",
    }
    config = fill("haproxy.cfg", folder, values)
    return launch("haproxy", [which("haproxy"), "-db", "-f", str(config)], address, secure=certificate is not None)


PEER = Peer(name="haproxy", version=version, start=start, http2=http2, secure=True)
