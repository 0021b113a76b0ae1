"""From a container's `start` event to its first served request, beyond the configured throttle.

A real Docker engine (the tests' own kit starts it) and real containers, each with a host of its own. `alone`: nothing
changed before for longer than the throttle lasts, so the change is taken at once; nothing is subtracted. `after another`:
a container that starts right after another was served waits for the end of the throttle that the other's start event
began; counted is what comes after that end. The clock is the engine's: the events' own time. What the container itself
takes until it listens is counted.
"""

import time
from pathlib import Path
from unittest import SkipTest

from bench import control, machine
from bench.bed import Bed, answers
from bench.errors import Unavailable
from bench.outcome import Outcome, Verdict
from bench.peers.running import Address
from bench.process import until
from tests.kit.docker import Docker
from tests.kit.docker_api import Events

BOUND = 0.3
THROTTLE = 1.0
TIMES = 5
"""Containers a round."""
STATIC = """
[entryPoints.web]
address = "{host}:{port}"
[providers]
providersThrottleDuration = "{throttle}s"
[providers.docker]
endpoint = "{endpoint}"
"""


def run(bed: Bed) -> Outcome:
    """Starts containers by pairs, the second of each right after the first is served."""
    alone: list[float] = []
    after: list[float] = []
    try:
        with Docker() as docker:
            _measure(docker, bed.subfolder("docker"), bed.options.rounds * TIMES, alone, after)
    except SkipTest as missing:
        raise Unavailable(str(missing)) from None
    return Outcome(
        scenario="docker",
        title="From a container's start event to its first served request",
        unit="s",
        rows={"alone": alone, f"after another, beyond the throttle of {THROTTLE:g} s": after},
        verdicts=[
            Verdict(label="alone", values=alone, unit="s", bound=BOUND),
            Verdict(label="after another", values=after, unit="s", bound=BOUND),
        ],
    )


def _measure(docker: Docker, folder: Path, pairs: int, alone: list[float], after: list[float]) -> None:
    address = ("127.0.0.1", machine.free_port())
    static = folder / "static.toml"
    static.write_text(STATIC.format(host=address[0], port=address[1], throttle=THROTTLE, endpoint=docker.host))
    docker.image("busybox")
    with (
        control.start(folder, static, address, ready=lambda: machine.accepts(address)),
        docker.events() as events,
    ):
        for number in range(pairs):
            # What was removed has been taken at the end of one throttle; that of what takes place then passes too.
            quiet = time.monotonic() + 2.5 * THROTTLE
            until(lambda moment=quiet: time.monotonic() > moment, what="the end of the throttle")  # type: ignore[misc]
            started, served = _serve(docker, events, address, f"alone-{number}")
            alone.append(served - started)
            began, served = _serve(docker, events, address, f"after-{number}")
            after.append(served - max(began, started + THROTTLE))
            docker.clear()


def _serve(docker: Docker, events: Events, address: Address, name: str) -> tuple[float, float]:
    """When a container started and when it was first served, seconds since 1970."""
    host = f"{name}.bench.test"
    container = docker.create(name=name, labels={f"traefik.http.routers.{name}.rule": f"Host(`{host}`)"})
    container.start()
    until(lambda: answers(address, "/", host=host), what=f"{name} being served")
    served = time.time()
    return events.wait("start", name=name)["timeNano"] / 1e9, served
