"""Runs h2load on the load core: HTTP/2 in clear text with prior knowledge, many streams on few connections.

As with wrk, any failed request makes the run invalid. h2load tells no percentiles, so latencies are its mean and
its maximum.
"""

import re
import subprocess

from bench.errors import InvalidRun
from bench.load import Load, Request
from bench.machine import LOAD_CORE
from bench.process import which

CONNECTIONS = 16
STREAMS = 32
"""At once on each connection."""
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}
KINDS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "": 1}


def run(address: tuple[str, int], request: Request, *, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Sends `request` over `connections` connections of `STREAMS` streams each for `seconds`; raises InvalidRun."""
    command = [which("taskset"), "-c", str(LOAD_CORE), which("h2load"), "-t", "1", "-c", str(connections)]
    command += ["-m", str(STREAMS), "-D", str(seconds), "--warm-up-time", "0"]
    command.append(f"http://{address[0]}:{address[1]}{request.path}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    said = result.stdout
    if result.returncode != 0:
        raise InvalidRun(f"h2load failed with status {result.returncode}:\n{said}{result.stderr}")
    requests = _numbers(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed", said)
    done, succeeded, failed = (int(number) for number in requests)
    body = _numbers(r"traffic: .* ([\d.]+)([KMG]?)B? \(\d+\) data", said)
    bytes_ = float(body[0]) * KINDS[body[1]]
    _, slowest, mean = re.findall(r"time for request: +([\d.]+)(us|ms|s) +([\d.]+)(us|ms|s) +([\d.]+)(us|ms|s)", said)[
        0
    ][0:6:2]
    units = re.findall(r"time for request: +[\d.]+(us|ms|s) +[\d.]+(us|ms|s) +[\d.]+(us|ms|s)", said)[0]
    if failed or done != succeeded:
        raise InvalidRun(f"{request.path}: {failed} failed, {done - succeeded} not succeeded\n{said}")
    if done == 0:
        raise InvalidRun(f"{request.path}: no request was answered")
    if bytes_ < 0.99 * request.least_bytes * done:
        raise InvalidRun(f"{request.path}: answers shorter than {request.least_bytes} bytes")
    return Load(
        requests=done,
        seconds=float(seconds),
        bytes=int(bytes_),
        p50=int(float(mean) * UNITS[units[2]]),
        p99=int(float(slowest) * UNITS[units[1]]),
    )


def _numbers(pattern: str, said: str) -> tuple[str, ...]:
    found = re.search(pattern, said)
    if found is None:
        raise InvalidRun(f"h2load's report is not understood:\n{said}")
    return found.groups()
