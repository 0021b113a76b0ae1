"""Every scenario by name, in the order of the report."""

from collections.abc import Callable

from bench.bed import Bed
from bench.outcome import Outcome
from bench.scenarios import apply, docker, files, idle, resident, routers, scaling, servers, signature
from bench.scenarios.throughput import CHUNKED, HANDSHAKE, HTTP2, HTTPS, MEDIUM, POST, SMALL

SCENARIOS: dict[str, Callable[[Bed], Outcome]] = {
    **{kind.name: kind.run for kind in (SMALL, MEDIUM, CHUNKED, POST, HTTPS, HANDSHAKE, HTTP2)},
    "file_small": files.SMALL.run,
    "file_large": files.LARGE.run,
    "signature": signature.run,
    "routers": routers.run,
    "idle": idle.run,
    "idle_tls": idle.run_secure,
    "resident": resident.run,
    "scaling": scaling.run,
    "apply": apply.run,
    "servers": servers.run,
    "docker": docker.run,
}
NEED_DAEMUN = frozenset({"routers", "scaling", "apply", "servers", "docker", "file_small", "file_large"})
"""Scenarios that measure Daemun alone, or beside nginx only; they are left out where it is not among the peers."""
