"""CPU time a request: a warm-up, then wrk for a fixed time, and the proxy's CPU time before and after.

The proxy is driven by closed-loop connections, so it may or may not be saturated; `busy` (CPU time over
wall time) says which. Per request an idle proxy pays more wake-ups, so figures of unsaturated runs are
comparable only with others of the same load, which interleaved rounds give.
"""

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.bed import Bed
from bench.errors import InvalidRun
from bench.load import Load, Request, run
from bench.peers.running import Running

WARM_UP = 1
"""Seconds of load before every measurement: pools fill, memory is touched."""
SATURATED = 0.9
"""Below this share of a core the load generator was the limit, which the report says."""
CROWDED = 0.1
"""Above this share of waiting the machine was not quiet (Go's own threads wait for each other a little)."""
TOLERATED_CONNECTIONS = 0.01
"""New origin connections a request; more means that the peer did not keep them alive."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measurement of one peer."""

    peer: str
    round: int
    cpu_us: float
    """Microseconds of CPU time, user and system, a request."""
    busy: float
    """CPU time over wall time: 1 is a full core."""
    crowded: float
    """Time its threads were ready but the core was taken, over wall time: near 0 on a quiet machine."""
    load: Load

    def as_json(self) -> dict[str, object]:
        """Flat, for the results file."""
        flat = {name: value for name, value in asdict(self).items() if name != "load"}
        return {**flat, **asdict(self.load), "per_second": self.load.per_second}


def sample(bed: Bed, peer: Running, request: Request, *, turn: int, proxied: bool = True) -> Sample:
    """Measures one peer once; raises InvalidRun when a request failed or connections were not kept.

    `proxied`: every request reaches the origin.
    """
    options = bed.options
    run(peer.address, request, seconds=WARM_UP, connections=options.connections, secure=peer.secure)
    before = bed.stats()
    start, clock = peer.process.cpu(), time.perf_counter()
    load = run(peer.address, request, seconds=options.seconds, connections=options.connections, secure=peer.secure)
    cpu, clock = peer.process.cpu() - start, time.perf_counter() - clock
    after = bed.stats()
    if proxied:
        _check(peer.name, load, before, after, options.connections)
    if not peer.process.alive():
        raise InvalidRun(f"{peer.name} ended under load:\n{peer.process.output()}")
    return Sample(
        peer=peer.name,
        round=turn,
        cpu_us=cpu.used / load.requests / 1000,
        busy=cpu.used / 1e9 / clock,
        crowded=cpu.waited / 1e9 / clock,
        load=load,
    )


def rounds(
    bed: Bed, peers: Mapping[str, Running], requests: Mapping[str, Request], *, proxied: bool = True
) -> list[Sample]:
    """Interleaved rounds: every peer once a round, each round beginning with another one."""
    names: Sequence[str] = list(peers)
    samples = []
    for turn in range(bed.options.rounds):
        first = turn % len(names)
        for name in [*names[first:], *names[:first]]:
            taken = sample(bed, peers[name], requests[name], turn=turn, proxied=proxied)
            samples.append(taken)
            sys.stderr.write(
                f"  round {turn + 1} {name:<14} {taken.cpu_us:8.2f} µs/request {taken.load.per_second:9.0f}/s"
                f"  busy {taken.busy:4.0%}  waiting {taken.crowded:4.0%}\n"
            )
    return samples


def by_peer(samples: Sequence[Sample], names: Sequence[str]) -> dict[str, list[float]]:
    """CPU microseconds a request, one list a peer, in the order of the rounds."""
    return {name: [taken.cpu_us for taken in samples if taken.peer == name] for name in names}


def notes(samples: Sequence[Sample]) -> list[str]:
    """What a reader must know about the cores: who had idle time, and who had to share."""
    lines = []
    names = dict.fromkeys(one.peer for one in samples)
    idle = {name: statistics.median(one.busy + one.crowded for one in samples if one.peer == name) for name in names}
    if slack := ", ".join(f"{name} {share:.0%}" for name, share in idle.items() if share < SATURATED):
        lines.append(f"load generator and origin were the limit; the proxy's core was asked for: {slack}")
    if (worst := max(one.crowded for one in samples)) > CROWDED:
        lines.append(
            f"other processes used the proxy's core: up to {worst:.0%} of a measurement was spent waiting for it"
        )
    return lines


def _check(name: str, load: Load, before: Mapping[str, int], after: Mapping[str, int], clients: int) -> None:
    answered = after["requests"] - before["requests"]
    opened = after["connections"] - before["connections"]
    if answered < load.requests:
        raise InvalidRun(f"{name}: {load.requests} answers, but the origin gave only {answered}")
    if opened > 2 * clients + TOLERATED_CONNECTIONS * load.requests:
        raise InvalidRun(f"{name}: {opened} connections to the origin for {load.requests} requests")
