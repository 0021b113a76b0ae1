"""Daemun's engine alone: `daemun-engine --plan FILE --threads 1`, without the control plane.

DAEMUN_ENGINE names the binary; else it is the one cargo built in engine/. The engine says in its ready
file which port the kernel gave it, once every listener is bound.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from bench import machine
from bench.errors import Unavailable
from bench.peers import plan, traefik_files
from bench.peers.running import Address, Certificate, Peer, Running
from bench.process import Process

LISTENER = "web"
BUILT = Path(__file__).parents[2] / "engine" / "target" / "release" / "daemun-engine"


def binary() -> Path:
    """The engine to measure; raises Unavailable when it has not been built."""
    path = Path(os.environ.get("DAEMUN_ENGINE") or BUILT)
    if not path.is_file():
        raise Unavailable(f"no engine at {path}: build it, or name it in DAEMUN_ENGINE")
    return path.resolve()


def version() -> str:
    """Such as `daemun-engine 0.1.0`."""
    return machine.first_line([str(binary()), "--version"])


def start(origin: Address, folder: Path, certificate: Certificate | None = None) -> Running:
    """Starts the engine with one router that takes everything to `origin`."""
    return start_rules(folder, [origin], [traefik_files.EVERYTHING], certificate=certificate)


def start_rules(
    folder: Path,
    servers: Sequence[Address],
    rules: Sequence[str],
    *,
    name: str = "daemun",
    certificate: Certificate | None = None,
) -> Running:
    """Starts the engine with a router for every rule and waits for its ready file."""
    return start_plan(
        folder, plan.write(folder, servers, rules, certificate=certificate), name=name, certificate=certificate
    )


def start_files(folder: Path, root: Path, certificate: Certificate | None = None) -> Running:
    """Starts the engine with a router that takes everything to the files below `root`."""
    plan_file = plan.write_dynamic(folder, traefik_files.files(root), certificate=certificate)
    return start_plan(folder, plan_file, certificate=certificate)


def start_plan(
    folder: Path, plan_file: Path, *, name: str = "daemun", certificate: Certificate | None = None
) -> Running:
    """Starts the engine with a Plan and waits for its ready file."""
    ready_file = folder / "ready.json"
    command = [str(binary()), "--plan", str(plan_file), "--threads", "1"]
    if certificate is not None:
        command += ["--secrets", str(plan_file.parent)]
    process = Process(name, [*command, "--ready-file", str(ready_file)], core=machine.PROXY_CORE)
    try:
        process.wait_ready(lambda: _ready(ready_file) is not None)
        address = _ready(ready_file)
        assert address is not None
        process.wait_ready(lambda: machine.accepts(address))
    except BaseException:
        process.stop()
        raise
    return Running(name=name, address=address, process=process, secure=certificate is not None)


def _ready(file: Path) -> Address | None:
    try:
        listeners: dict[str, str] = json.loads(file.read_text())["listeners"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    host, _, port = listeners[LISTENER].rpartition(":")
    return host, int(port)


PEER = Peer(name="daemun", version=version, start=start, http2=start, secure=True)
