"""The machine: which core does what, how many descriptors there are, and a description for the report."""

import os
import platform
import resource
import socket
import subprocess
from pathlib import Path

from bench.errors import Unavailable

PROXY_CORE = 0
LOAD_CORE = 1
DESCRIPTORS = 20_000
"""Enough for 8,000 idle connections and as many upstream ones; proxies inherit the limit."""


def prepare() -> None:
    """Leaves the proxy's core to the proxy and raises the limit of open files."""
    if len(os.sched_getaffinity(0)) < 2:
        raise Unavailable("the benchmark needs two cores: one for the proxy, one for load and origin")
    os.sched_setaffinity(0, {LOAD_CORE})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_port() -> int:
    """A loopback port nobody listens on, for peers that cannot say which port they were given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(address: tuple[str, int]) -> bool:
    """Whether a connection to `address` is accepted now."""
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False


def describe() -> str:
    """Processor, cores, kernel and system in one line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {_system()}"


def busy() -> str:
    """The load average, which says whether the machine was shared while measuring."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def first_line(command: list[str]) -> str:
    """The first line a command prints: how every peer tells its version."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    lines = (result.stdout + result.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown system"
