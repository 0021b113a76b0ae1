"""From a change of the file on disk to its effect on a request, with 100 and with 10,000 routers.

Each change replaces the router of `/apply-N` by that of `/apply-N+1`; the clock runs from when the
new bytes are in place (by rename, or written into the same file) until `/apply-N+1` is answered with 200.
"""

import os
from pathlib import Path

from bench import control
from bench.bed import Bed, answers
from bench.outcome import Outcome, Verdict
from bench.peers import traefik_files
from bench.peers.running import Address
from bench.process import until

BOUNDS = {100: 1.0, 10_000: 5.0}
LIMIT = 60.0
"""Seconds after which a change is reported as lost."""


def run(bed: Bed) -> Outcome:
    """Changes the file once a round by rename and once in place."""
    rows: dict[str, list[float]] = {}
    verdicts = []
    for count, bound in BOUNDS.items():
        for way, seconds in _changes(bed, count).items():
            label = f"{count:,} routers, {way}"
            rows[label] = seconds
            verdicts.append(Verdict(label=label, values=seconds, unit="s", bound=bound))
    return Outcome(
        scenario="apply",
        title="From change on disk to effect",
        unit="s",
        rows=rows,
        verdicts=verdicts,
    )


def dynamic(origin: Address, *, count: int, turn: int) -> str:
    """A dynamic file with `count` routers, one of them that of `path(turn)`."""
    rules = [f"Host(`h{number}.bench.test`) && PathPrefix(`/p{number}`)" for number in range(count - 1)]
    return traefik_files.dynamic([origin], [f"PathPrefix(`/apply-{turn}/`)", *rules])


def path(turn: int) -> str:
    """The path that only the file of this turn answers."""
    return f"/apply-{turn}/128"


def _changes(bed: Bed, count: int) -> dict[str, list[float]]:
    folder = bed.subfolder("apply")
    file = folder / "dynamic.yml"
    file.write_text(dynamic(bed.origin, count=count, turn=0))
    seconds: dict[str, list[float]] = {"rename": [], "in place": []}
    turn = 0
    with control.run(folder, file, ready=path(0)) as running:
        for _ in range(bed.options.rounds):
            for way, taken in seconds.items():
                turn += 1
                text = dynamic(bed.origin, count=count, turn=turn)
                taken.append(_change(running, file, text, turn, rename=way == "rename"))
    return seconds


def _change(running: control.ControlPlane, file: Path, text: str, turn: int, *, rename: bool) -> float:
    def effective() -> bool:
        return answers(running.address, path(turn))

    if rename:
        beside = file.with_suffix(".new")
        beside.write_text(text)
        os.replace(beside, file)  # noqa: PTH105 - the system call that is measured
    else:
        file.write_text(text)
    return until(effective, what=f"change {turn}", limit=LIMIT)
