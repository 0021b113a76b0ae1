"""CPU time a request: a warm-up, then wrk for slices of a fixed time, and the proxy's CPU time before and after each.

A neighbour of this machine that is loud for a while must hit every peer alike, so the slices of one round are
interleaved: what one peer is measured by lies between what the others are.

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
from bench.process import Cpu

WARM_UP = 1
"""Seconds of load before every round: pools fill, memory is touched."""
SLICE = 1
"""Seconds of wrk at a time: the least it can do."""
SATURATED = 0.9
"""Below this share of a core the load generator was the limit, which the report says."""
CROWDED = 0.1
"""Above this share of waiting the machine was not quiet (Go's own threads wait for each other a little)."""
TOLERATED_CONNECTIONS = 0.01
"""New origin connections a request; more means that the peer did not keep them alive."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One run of the load generator: the proxy's CPU time, seconds by the clock, and what was answered."""

    cpu: Cpu
    clock: float
    load: Load


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measurement of one peer: the slices of a round together."""

    peer: str
    round: int
    cpu_us: float
    """Microseconds of CPU time, user and system, a request."""
    busy: float
    """CPU time over wall time: 1 is a full core."""
    crowded: float
    """Time its threads were ready but the core was taken, over wall time: near 0 on a quiet machine."""
    load: Load
    """Of all slices; p50 is the median of theirs, p99 the worst."""

    def as_json(self) -> dict[str, object]:
        """Flat, for the results file."""
        flat = {name: value for name, value in asdict(self).items() if name != "load"}
        return {**flat, **asdict(self.load), "per_second": self.load.per_second}


def rounds(
    bed: Bed, peers: Mapping[str, Running], requests: Mapping[str, Request], *, proxied: bool = True
) -> list[Sample]:
    """Interleaved rounds: every peer once a round, in slices of a second (but h2load's) that are interleaved too.

    `proxied`: every request reaches the origin. Raises InvalidRun when a request failed or connections were not kept.
    """
    options = bed.options
    samples = []
    for turn in range(options.rounds):
        for name, peer in peers.items():
            run(peer.address, requests[name], seconds=WARM_UP, connections=options.connections, secure=peer.secure)
        slices: dict[str, list[Slice]] = {name: [] for name in peers}
        # h2load leaves 512 requests when it ends: so many connections to the origin are opened anew at each start.
        seconds = options.seconds if any(request.http2 for request in requests.values()) else SLICE
        for part in range(options.seconds // seconds):
            for name in _from(list(peers), turn + part):
                slices[name].append(_slice(bed, peers[name], requests[name], seconds, proxied=proxied))
        for name, taken in slices.items():
            samples.append(one := _sample(peers[name].name, turn, taken))
            sys.stderr.write(
                f"  round {turn + 1} {name:<14} {one.cpu_us:8.2f} µs/request {one.load.per_second:9.0f}/s"
                f"  busy {one.busy:4.0%}  waiting {one.crowded:4.0%}\n"
            )
    return samples


def _from(names: Sequence[str], first: int) -> list[str]:
    """The same circle, begun elsewhere: nobody always follows the same one."""
    first %= len(names)
    return [*names[first:], *names[:first]]


def _slice(bed: Bed, peer: Running, request: Request, seconds: int, *, proxied: bool) -> Slice:
    clients = bed.options.connections
    before = bed.stats()
    start, clock = peer.process.cpu(), time.perf_counter()
    load = run(peer.address, request, seconds=seconds, connections=clients, secure=peer.secure)
    cpu, clock = peer.process.cpu() - start, time.perf_counter() - clock
    after = bed.stats()
    if proxied:
        _check(peer.name, load, before, after, request.at_once(clients))
    if not peer.process.alive():
        raise InvalidRun(f"{peer.name} ended under load:\n{peer.process.output()}")
    return Slice(cpu=cpu, clock=clock, load=load)


def _sample(peer: str, turn: int, slices: Sequence[Slice]) -> Sample:
    load = Load(
        requests=sum(one.load.requests for one in slices),
        seconds=sum(one.load.seconds for one in slices),
        bytes=sum(one.load.bytes for one in slices),
        p50=int(statistics.median(one.load.p50 for one in slices)),
        p99=max(one.load.p99 for one in slices),
    )
    used, waited = sum(one.cpu.used for one in slices), sum(one.cpu.waited for one in slices)
    clock = sum(one.clock for one in slices)
    return Sample(
        peer=peer,
        round=turn,
        cpu_us=used / load.requests / 1000,
        busy=used / 1e9 / clock,
        crowded=waited / 1e9 / clock,
        load=load,
    )


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
