"""Starts Daemun whole: `daemun run --config static.yml` with an engine of its own, for `resident`, `apply` and `docker`.

The command is the one beside this Python (`.venv/bin/daemun`), or DAEMUN. Everything it writes stands in
one folder; when it ends, its engine must have ended too.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.bed import answers
from bench.errors import BenchError, NotReady, Unavailable
from bench.peers import daemun, traefik_files
from bench.peers.running import Address
from bench.process import Process, family, pss, rss, until

ENGINE = "daemun-engine"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A running `daemun run` and the address of its entry point."""

    process: Process
    address: Address

    def resident(self) -> int:
        """VmRSS of the Python side alone, in bytes."""
        return sum(rss(pid) for pid in self.process.family() if _name(pid) != ENGINE)

    def engine_resident(self) -> int:
        """VmRSS of its engine, in bytes."""
        return sum(rss(pid) for pid in self.process.family() if _name(pid) == ENGINE)


def engine_pss(process: Process) -> int:
    """Proportional set size of the engine that a process keeps, in bytes; 0 when it has none."""
    return sum(pss(pid) for pid in process.family() if _name(pid) == ENGINE)


def command() -> Path:
    """The `daemun` command; raises Unavailable before it is installed."""
    path = Path(os.environ.get("DAEMUN") or Path(sys.executable).with_name("daemun"))
    if not path.is_file():
        raise Unavailable(f"no control plane at {path}: `make build`, or name it in DAEMUN")
    return path


@contextlib.contextmanager
def run(folder: Path, dynamic: Path, *, ready: str) -> Iterator[ControlPlane]:
    """Runs it on this dynamic file until the path `ready` is answered with 200."""
    address = ("127.0.0.1", machine.free_port())
    static = traefik_files.static(folder, address, dynamic, watch=True)
    with start(folder, static, address, ready=lambda: answers(address, ready)) as running:
        yield running


@contextlib.contextmanager
def start(folder: Path, static: Path, address: Address, *, ready: Callable[[], bool]) -> Iterator[ControlPlane]:
    """Runs it on this static file, whose entry point is at `address`, until it is ready."""
    arguments = [str(command()), "run", "--config", str(static), "--threads", "1"]
    arguments += ["--state-dir", str(folder / "state")]
    env = {"DAEMUN_ENGINE": str(daemun.binary())}
    with Process("daemun run", arguments, core=machine.PROXY_CORE, env=env) as process:
        process.wait_ready(ready)
        engines = [pid for pid in family(process.pid) if _name(pid) == ENGINE]
        yield ControlPlane(process=process, address=address)
    try:
        until(lambda: not any(_name(pid) == ENGINE for pid in engines), what="the end of the engine", limit=10)
    except NotReady as error:
        for pid in engines:  # ours, though not our child
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise BenchError(f"`daemun run` ended but left its engine behind: {engines}") from error


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
