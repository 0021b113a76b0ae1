"""Throughput with 1, 2 and 3 instances of an application that handles one request at a time, 50 ms each.

The application is a real uvicorn (bench/app.py). More clients than instances wait at all times, so what is
lost to 1 : 2 : 3 is what the balancer left idle.
"""

import contextlib
import functools
import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import load, machine
from bench.app import SECONDS
from bench.bed import Bed, answers
from bench.errors import Unavailable
from bench.outcome import Outcome, Verdict
from bench.peers import daemun, traefik_files
from bench.peers.running import Address, Running
from bench.process import Process, until

INSTANCES = (1, 2, 3)
CLIENTS = 12
LEAST_SECONDS = 5
"""One instance answers 20 requests a second; fewer than 100 would make a request more than 1 %."""
TOLERANCE = 0.05
ROOT = Path(__file__).parents[2]


def run(bed: Bed) -> Outcome:
    """Interleaved rounds over one, two and three instances."""
    rows: dict[str, list[float]] = {_label(count): [] for count in INSTANCES}
    with contextlib.ExitStack() as stack:
        apps = [stack.enter_context(_instance()) for _ in range(max(INSTANCES))]
        gates: dict[str, Running] = {}
        for count in INSTANCES:
            rules = [traefik_files.EVERYTHING]
            gate = daemun.start_rules(bed.subfolder("scaling"), apps[:count], rules, name=_label(count))
            stack.enter_context(gate.process)
            gates[_label(count)] = gate
        for _ in range(bed.options.rounds):
            for name, gate in gates.items():
                for app in apps:
                    until(functools.partial(_rested, app), what="an instance without work")
                rows[name].append(_per_second(gate, max(LEAST_SECONDS, bed.options.seconds)))
    one = rows[_label(1)]
    verdicts = [
        Verdict(
            label=f"{_label(count)} / one",
            values=[many / single for many, single in zip(rows[_label(count)], one, strict=True)],
            bound=TOLERANCE,
            around=count,
        )
        for count in INSTANCES[1:]
    ]
    return Outcome(
        scenario="scaling",
        title="Instances of an application that handles one request at a time (uvicorn, 50 ms)",
        unit="requests/s",
        rows=rows,
        verdicts=verdicts,
    )


def _label(count: int) -> str:
    return f"{count} instance{'s' if count > 1 else ''}"


def _per_second(gate: Running, seconds: int) -> float:
    request = load.Request(path="/128", least_bytes=128)
    return load.run(gate.address, request, seconds=seconds, connections=CLIENTS).per_second


def _rested(app: Address) -> bool:
    """Whether the requests that the last measurement broke off are done: nobody waits before a new one."""
    start = time.monotonic()
    return answers(app, "/128") and time.monotonic() - start < 1.5 * SECONDS


@contextlib.contextmanager
def _instance() -> Iterator[Address]:
    if importlib.util.find_spec("uvicorn") is None:
        raise Unavailable("uvicorn is not installed beside this Python")
    address = ("127.0.0.1", machine.free_port())
    command = [sys.executable, "-m", "uvicorn", "bench.app:app", "--port", str(address[1])]
    command += ["--no-access-log", "--log-level", "warning", "--lifespan", "off", "--timeout-keep-alive", "300"]
    with Process("uvicorn", command, core=machine.LOAD_CORE, cwd=ROOT) as process:
        process.wait_ready(lambda: machine.accepts(address))
        yield address
