"""Memory at start: VmRSS once the first request was answered, of every proxy and of the control plane.

VmRSS counts pages that two processes share twice, which only nginx (master and worker) has.
"""

import json
import subprocess
import sys
from pathlib import Path

from bench import control
from bench.bed import Bed
from bench.errors import Unavailable
from bench.outcome import Outcome, Verdict
from bench.scenarios import apply

ROOT = Path(__file__).parents[2]
MB = 1_000_000
ENGINE_BOUND = 8.0
CONTROL_BOUND = 60.0
HEAVIEST = 6
"""Packages that are named when the memory of the control plane is explained."""


def run(bed: Bed) -> Outcome:
    """Measures every peer once, then the control plane where it is installed."""
    rows: dict[str, list[float]] = {}
    for name in bed.options.peers:  # one at a time: nothing shares its pages
        with bed.peers([name]) as peers:
            rows |= {each: [peer.process.rss() / MB] for each, peer in peers.items()}
    verdicts = []
    if "daemun" in rows:
        verdicts.append(Verdict(label="engine", values=rows["daemun"], unit="MB", bound=ENGINE_BOUND))
    notes = ["configured for the scenarios here: nginx keeps room for 16,384 connections from the start"]
    try:
        resident = _control_plane(bed) if "daemun" in rows else None
    except Unavailable as error:
        resident = None
        notes.append(str(error))
    if resident is not None:
        rows["daemun run"] = [resident]
        verdicts.append(Verdict(label="control plane", values=[resident], unit="MB", bound=CONTROL_BOUND))
        notes.append(f"what loads the control plane: {_packages()}")
    return Outcome(
        scenario="resident",
        title="Resident at start",
        unit="MB",
        rows=rows,
        verdicts=verdicts,
        notes=notes,
    )


def _control_plane(bed: Bed) -> float:
    folder = bed.subfolder("resident")
    dynamic = folder / "dynamic.yml"
    dynamic.write_text(apply.dynamic(bed.origin, count=1, turn=0))
    with control.run(folder, dynamic, ready=apply.path(0)) as running:
        return running.resident() / MB


def _packages() -> str:
    command = [sys.executable, "-m", "bench.weigh"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if result.returncode != 0:
        return "not known (bench.weigh failed)"
    weights: dict[str, int] = json.loads(result.stdout)
    return ", ".join(f"{name} {weight / MB:.1f} MB" for name, weight in list(weights.items())[:HEAVIEST])
