"""`python -m bench`: reads the options, runs the scenarios, writes the report.

Exit status: 0 when every bound was kept, 1 when one was not, 2 when a measurement was invalid or Daemun (or
a peer named by --peers) could not be measured. docs/ is written only by a full run (all scenarios, not
--quick) or with --write-docs.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench import machine
from bench.bed import Bed, Options, lay
from bench.errors import BenchError, Unavailable
from bench.outcome import Outcome
from bench.peers.catalogue import DEFAULT, PEERS
from bench.report import page, plot, table
from bench.report.session import Session, save
from bench.scenarios.catalogue import NEED_DAEMUN, SCENARIOS

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results")
FULL = {"rounds": 5, "seconds": 5}
QUICK = {"rounds": 2, "seconds": 2}
IDLE = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(options)
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    machine.prepare()
    left_out: dict[str, str] = {}
    versions = _versions(_names(options), left_out)
    if not versions or (options.peers and left_out):
        raise BenchError("; ".join(left_out.values()))
    pace = QUICK if options.quick else FULL
    settings = Options(
        peers=tuple(versions),
        rounds=options.rounds or pace["rounds"],
        seconds=options.duration or pace["seconds"],
        connections=options.connections,
        idle=options.idle,
    )
    began = time.strftime("%Y-%m-%d %H:%M %Z")
    load, runs = [], []
    with lay(settings) as bed:
        for run in range(options.repeat):
            load.append(machine.busy())
            sys.stderr.write(f"run {run + 1} of {options.repeat}, load average {load[-1]}\n")
            runs.append(_scenarios(bed, options.scenario or list(SCENARIOS), left_out))
    session = Session(
        machine=machine.describe(),
        versions=versions,
        options=settings,
        quick=options.quick,
        began=began,
        load=load,
        runs=runs,
        left_out=left_out,
    )
    _report(session, docs=options.write_docs or not (options.quick or options.scenario))
    if not any(runs) or "daemun" in left_out:
        return 2
    return 0 if session.passed() else 1


def _report(session: Session, *, docs: bool) -> None:
    sys.stdout.write(table.show(session) + "\n\n")
    sys.stdout.write(f"results: {save(session, RESULTS)}\n")
    if docs:
        folder = ROOT / "docs"
        folder.mkdir(exist_ok=True)
        (folder / "benchmarks.md").write_text(page.write(session))
        (folder / "benchmarks.svg").write_text(plot.draw(session))
        sys.stdout.write(f"report: {folder / 'benchmarks.md'}\n")


def _scenarios(bed: Bed, names: Sequence[str], left_out: dict[str, str]) -> list[Outcome]:
    outcomes = []
    for name in names:
        if name in NEED_DAEMUN and "daemun" not in bed.options.peers:
            left_out[name] = left_out.get("daemun", "Daemun is not among the peers")
            continue
        sys.stderr.write(f"{name}\n")
        try:
            outcomes.append(SCENARIOS[name](bed))
        except Unavailable as error:
            left_out[name] = str(error)
    return outcomes


def _names(options: argparse.Namespace) -> list[str]:
    if options.only:
        return [options.only]
    if options.peers:
        return list(options.peers)
    return [*DEFAULT, *(["traefik"] if os.environ.get("TRAEFIK") else [])]


def _versions(names: Sequence[str], left_out: dict[str, str]) -> dict[str, str]:
    """The versions of the peers that are here, in the order of the catalogue."""
    versions = {}
    for name, peer in PEERS.items():
        if name in names:
            try:
                versions[name] = peer.version()
            except Unavailable as error:
                left_out[name] = str(error)
    return versions


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """TERM ends the benchmark like Ctrl-C, so that everything it started is ended too."""
    raise KeyboardInterrupt


def _peers(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(PEERS)}")
    return names


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What Daemun costs beside its peers.")
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds: tests the harness")
    parser.add_argument("--rounds", type=_positive, help="interleaved rounds (5)")
    parser.add_argument("--duration", type=_positive, metavar="SECONDS", help="one measurement (5)")
    parser.add_argument("--repeat", type=_positive, default=1, help="whole runs in a row (1)")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only this one; may be repeated")
    parser.add_argument("--peers", type=_peers, metavar="A,B", help=f"from {', '.join(PEERS)}")
    parser.add_argument("--only", choices=list(PEERS), help="one peer: its microseconds a request")
    parser.add_argument("--connections", type=_positive, default=64, help="clients of a throughput run (64)")
    parser.add_argument("--idle", type=_positive, default=IDLE, help=f"idle connections ({IDLE})")
    parser.add_argument("--write-docs", action="store_true", help="write docs/ even after a partial run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
