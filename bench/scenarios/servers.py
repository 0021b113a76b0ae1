"""From the start with 10,000 server blocks to the first answer, and the memory that is taken then, beside nginx.

Both are started by the same words on the same kind of file, in turn, from process start until the last server is answered
with 200. Daemun's memory is that of its engine, which serves; nginx's that of its master and worker together.
"""

import statistics
import sys

from bench import control, machine
from bench.bed import Bed, answers
from bench.measure import CROWDED
from bench.outcome import Outcome, Verdict
from bench.peers import nginx_servers
from bench.process import Process

COUNT = 10_000
TIME_BOUND = 5.0
MEMORY_BOUND = 1.0
MB = 1_000_000
STARTS = {"nginx": nginx_servers.start_nginx, "daemun": nginx_servers.start_daemun}


def run(bed: Bed) -> Outcome:
    """Starts each once a round, the other one first in every second."""
    seconds: dict[str, list[float]] = {name: [] for name in STARTS}
    cpu: dict[str, list[float]] = {name: [] for name in STARTS}
    memory: dict[str, list[float]] = {name: [] for name in STARTS}
    waited = 0.0
    for turn in range(bed.options.rounds):
        for name in list(STARTS)[:: -1 if turn % 2 else 1]:
            taken, used, waiting, resident = _start(bed, name)
            seconds[name].append(taken)
            cpu[name].append(used)
            memory[name].append(resident)
            waited = max(waited, waiting / taken)
            sys.stderr.write(f"  round {turn + 1} {name:<8} {taken:.2f} s  CPU {used:.2f} s  {resident:.0f} MB\n")
    notes = [
        "CPU time: " + ", ".join(f"{name} {statistics.median(values):.2f} s" for name, values in cpu.items()),
        "memory: " + ", ".join(f"{name} {statistics.median(values):.0f} MB" for name, values in memory.items()),
    ]
    if waited > CROWDED:
        notes.append(f"other processes used the core: up to {waited:.0%} of a start was spent waiting for it")
    return Outcome(
        scenario="servers",
        title=f"Start with {COUNT:,} nginx servers",
        unit="s",
        rows=seconds,
        verdicts=[
            Verdict(label="daemun / nginx", values=_ratios(seconds), bound=TIME_BOUND),
            Verdict(label="memory, engine / nginx", values=_ratios(memory), bound=MEMORY_BOUND),
        ],
        notes=notes,
        details=[{"cpu": cpu, "memory": memory}],
    )


def _start(bed: Bed, name: str) -> tuple[float, float, float, float]:
    """Starts one; returns the seconds until it answers, its CPU time and how long it waited for the core, and MB."""
    address = ("127.0.0.1", machine.free_port())
    config = nginx_servers.configuration(bed.subfolder(name), address, bed.origin, count=COUNT)
    last = nginx_servers.host(COUNT - 1)
    with STARTS[name](config) as process:
        seconds = process.wait_ready(lambda: answers(address, "/128", host=last))
        cpu = process.cpu()
        return seconds, cpu.used / 1e9, cpu.waited / 1e9, _memory(process) / MB


def _memory(process: Process) -> int:
    return control.engine_pss(process) or process.pss()


def _ratios(rows: dict[str, list[float]]) -> list[float]:
    return [mine / theirs for mine, theirs in zip(rows["daemun"], rows["nginx"], strict=True)]
