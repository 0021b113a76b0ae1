"""Runs wrk, or h2load, on the load core and turns its report into a `Load`; any failed request makes the run invalid."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InvalidRun
from bench.machine import LOAD_CORE
from bench.process import which

SCRIPT = Path(__file__).with_name("load.lua")
TIMEOUT = 10
"""Seconds wrk waits for an answer before it counts a timeout."""
CONNECTIONS = 16
"""Of h2load."""
STREAMS = 32
"""At once on each of them."""
MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}
REPORT = re.compile(
    r"requests: \d+ total, \d+ started, (?P<done>\d+) done, (?P<succeeded>\d+) succeeded, (?P<failed>\d+) failed"
    r".*traffic: .* \((?P<bytes>\d+)\) data"
    r".*time for request: +\S+ +(?P<slowest>[\d.]+)(?P<slowest_unit>\w+) +(?P<mean>[\d.]+)(?P<mean_unit>\w+)",
    re.DOTALL,
)
"""What h2load says at its end."""
FAILURES = ("connect", "read", "write", "status", "timeout")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to send: the path, the method and, for many different requests, a file of targets."""

    path: str = "/128"
    method: str = "GET"
    targets: Path | None = None
    close: bool = False
    """Every request on a connection of its own."""
    http2: bool = False
    """HTTP/2 in clear text, many streams on few connections."""
    least_bytes: int = 0
    """An answer is at least this long; shorter ones on average make the run invalid."""

    def at_once(self, connections: int) -> int:
        """How many are under way when a run ends, and so may cost the proxy its connections to the origin."""
        return CONNECTIONS * STREAMS if self.http2 else connections


@dataclass(frozen=True, kw_only=True)
class Load:
    """What the load generator saw: completed requests, seconds, bytes, latencies in microseconds.

    h2load tells no percentiles: its mean and its maximum stand in their place.
    """

    requests: int
    seconds: float
    bytes: int
    p50: int
    p99: int

    @property
    def per_second(self) -> float:
        """Completed requests a second."""
        return self.requests / self.seconds


def run(address: tuple[str, int], request: Request, *, seconds: int, connections: int, secure: bool = False) -> Load:
    """Sends `request` over `connections` connections at a time for `seconds`; raises InvalidRun."""
    if request.http2:
        return _h2load(address, request, seconds=seconds)
    command = [which("taskset"), "-c", str(LOAD_CORE), which("wrk"), "-t", "1", "-c", str(connections)]
    command += ["-d", f"{seconds}s", "--timeout", f"{TIMEOUT}s", "-s", str(SCRIPT)]
    command += [f"{'https' if secure else 'http'}://{address[0]}:{address[1]}{request.path}", "--", request.method]
    if request.close:
        command[-2:-2] = ["-H", "Connection: close"]
    if request.targets is not None:
        command.append(str(request.targets))
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    report = [line for line in result.stdout.splitlines() if line.startswith("BENCH ")]
    if result.returncode != 0 or not report:
        raise InvalidRun(f"wrk failed with status {result.returncode}:\n{result.stdout}{result.stderr}")
    values: dict[str, int] = json.loads(report[-1].removeprefix("BENCH "))
    failures = {name: values[name] for name in FAILURES if values[name]}
    if failures:
        raise InvalidRun(f"{request.method} {request.path}: failed requests {failures}\n{result.stdout}")
    if values["requests"] == 0:
        raise InvalidRun(f"{request.method} {request.path}: no request was answered")
    if values["bytes"] < request.least_bytes * values["requests"]:
        raise InvalidRun(f"{request.method} {request.path}: answers shorter than {request.least_bytes} bytes")
    return Load(
        requests=values["requests"],
        seconds=values["microseconds"] / 1e6,
        bytes=values["bytes"],
        p50=values["p50"],
        p99=values["p99"],
    )


def _h2load(address: tuple[str, int], request: Request, *, seconds: int) -> Load:
    command = [which("taskset"), "-c", str(LOAD_CORE), which("h2load"), "-t", "1", "-c", str(CONNECTIONS)]
    command += ["-m", str(STREAMS), "-D", str(seconds), "--warm-up-time", "0"]
    command.append(f"http://{address[0]}:{address[1]}{request.path}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    report = REPORT.search(result.stdout)
    if result.returncode != 0 or report is None:
        raise InvalidRun(f"h2load failed with status {result.returncode}:\n{result.stdout}{result.stderr}")
    done, bytes_ = int(report["done"]), int(report["bytes"])
    if done == 0 or int(report["failed"]) or int(report["succeeded"]) != done:
        raise InvalidRun(f"{request.path}: not all of {done} requests succeeded\n{result.stdout}")
    if bytes_ < request.least_bytes * done:
        raise InvalidRun(f"{request.path}: answers shorter than {request.least_bytes} bytes")
    return Load(
        requests=done,
        seconds=float(seconds),
        bytes=bytes_,
        p50=int(float(report["mean"]) * MICROSECONDS[report["mean_unit"]]),
        p99=int(float(report["slowest"]) * MICROSECONDS[report["slowest_unit"]]),
    )
