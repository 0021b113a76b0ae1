"""nginx (Debian's package): a master and one worker."""

import os
from pathlib import Path

from bench import machine
from bench.peers.running import CLIENT_IDLE, Address, Certificate, Peer, Running, fill, launch
from bench.process import which

TLS = "ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;"
"""1.22 speaks no TLS 1.3 by default; the peers do."""


def version() -> str:
    """Such as `nginx/1.22.1`."""
    return machine.first_line([which("nginx"), "-v"]).removeprefix("nginx version: ")


def start(origin: Address, folder: Path, certificate: Certificate | None = None) -> Running:
    """Starts nginx in front of `origin`."""
    return _start(origin, folder, certificate, " ssl" if certificate else "")


def http2(origin: Address, folder: Path) -> Running:
    """The same for HTTP/2; a listener in clear text then speaks nothing else."""
    return _start(origin, folder, None, " http2")


def _start(origin: Address, folder: Path, certificate: Certificate | None, protocol: str) -> Running:
    address = ("127.0.0.1", machine.free_port())
    values = {
        "user": "user root;" if os.geteuid() == 0 else "",  # a worker that may enter `folder`
        "descriptors": 16384,
        "folder": folder,
        "idle": CLIENT_IDLE,
        "origin": "{}:{}".format(*origin),
        "listen": "{}:{}".format(*address) + protocol,
        "tls": TLS.format(chain=certificate.chain, key=certificate.key) if certificate else "",
    }
    config = fill("nginx.conf", folder, values)
    command = [which("nginx"), "-p", str(folder), "-c", str(config), "-e", "stderr"]
    return launch("nginx", command, address, secure=certificate is not None)


def start_files(folder: Path, root: Path) -> Running:
    """Starts nginx with the files below `root`."""
    address = ("127.0.0.1", machine.free_port())
    values = {
        "user": "user root;" if os.geteuid() == 0 else "",
        "descriptors": 16384,
        "folder": folder,
        "idle": CLIENT_IDLE,
        "listen": "{}:{}".format(*address),
        "root": root,
    }
    config = fill("nginx_files.conf", folder, values)
    return launch("nginx", [which("nginx"), "-p", str(folder), "-c", str(config), "-e", "stderr"], address)


PEER = Peer(name="nginx", version=version, start=start, http2=http2, secure=True)
