"""docs/benchmarks.md: what was measured, how, on what, and the figures with their bounds."""

import statistics
from collections.abc import Sequence

from bench.outcome import Outcome, Verdict
from bench.report.session import Session, number, verdicts

METHOD = """\
## How it is measured

- Each proxy has one worker or thread and core 0 to itself; load generator (wrk), origin and the benchmark
  share core 1. Everything stays on loopback. On a machine with two cores the load generator may be the
  limit; where it was, the tables say how busy the proxy's core was.
- All proxies do the same task: HTTP/1.1 keep-alive on both sides, logs off, `X-Real-IP` and
  `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` set on every request. Before anything is measured a probe reads
  these headers at the origin and compares their values. Daemun and Traefik set `X-Forwarded-Server` besides.
  Configurations stand in `bench/peers/`; Daemun and Traefik read the same files.
- CPU per request is user and system time of all the proxy's processes and threads
  (`/proc/PID/task/*/schedstat`, nanoseconds), divided by the requests that wrk saw completed.
- A run is invalid, and ends the benchmark, when a single request fails, when an answer is too short, when the
  origin saw fewer requests than the client, or when connections to the origin were not kept alive.
- Rounds are interleaved, and within a round the seconds are too: one second of load for one proxy, then for the
  next, each time begun with another one, so that a loud neighbour of the machine hits all alike
  (h2load's are not divided: each of its starts opens 512 connections to the origin). A round starts
  with a warm-up of each. A ratio is taken within its round; the table gives minimum and median of these ratios,
  and the median is what is judged. Over TLS each second begins with the handshakes of its 64 connections, for
  all proxies alike: of 50,000 requests they are one or two percent of the CPU.
- Memory of an idle connection is the difference of the proportional set size over the connections, each of
  which made one request before and must answer another one after.

`make bench` does all of it; `.venv/bin/python -m bench --help` lists the options."""


def write(session: Session) -> str:
    """The page as Markdown."""
    options = session.options
    lines = ["# Benchmarks", ""]
    if session.quick:
        lines += ["> Made with `--quick`: a check of the harness, not figures to rely on.", ""]
    lines += [
        "Written by `make bench`; do not edit. Figures of two machines do not compare, ratios nearly do.",
        "",
        f"- Machine: {session.machine}",
        f"- Began {session.began}; load average before each run: {', '.join(session.load)}",
        (
            f"- {len(session.runs)} run(s) of {options.rounds} rounds, {options.seconds} s each, "
            f"{options.connections} connections"
        ),
        "- " + ", ".join(session.versions.values()),
        "",
        "![Bars of every figure](benchmarks.svg)",
        "",
        "## Against the bounds",
        "",
        *_bounds(session),
        "",
        "## All figures",
    ]
    for outcomes in session.scenarios():
        lines += ["", *_figures(outcomes)]
    if session.left_out:
        lines += ["", "## Not measured", ""]
        lines += [f"- {name}: {' '.join(why.split())}" for name, why in session.left_out.items()]
    return "\n".join([*lines, "", METHOD, ""])


def _bounds(session: Session) -> list[str]:
    runs = len(session.runs)
    lines = _header(["scenario", "figure", "bound"], [f"run {run + 1}: min, median" for run in range(runs)])
    for outcomes in session.scenarios():
        for figures in verdicts(outcomes):
            cells = [outcomes[0].scenario, figures[0].label, f"{figures[0].required} {figures[0].unit}"]
            lines.append(_row([*cells, *map(_judged, figures)]))
    return lines


def _figures(outcomes: Sequence[Outcome]) -> list[str]:
    first = outcomes[0]
    lines = [f"### `{first.scenario}`: {first.title}", ""]
    lines += _header([first.unit], [f"run {run + 1}: min, median" for run in range(len(outcomes))])
    for name in first.rows:
        pairs = [outcome.rows[name] for outcome in outcomes]
        lines.append(_row([name, *(f"{number(min(v))}, {number(statistics.median(v))}" for v in pairs)]))
    notes = [f"Run {run + 1}: {note}." for run, one in enumerate(outcomes) for note in one.notes]
    return [*lines, "", *notes] if notes else lines


def _judged(figure: Verdict) -> str:
    mark = {True: " ✓", False: " ✗", None: ""}[figure.passed]
    return f"{number(figure.minimum)}, **{number(figure.median)}**{mark}"


def _header(names: Sequence[str], runs: Sequence[str]) -> list[str]:
    return [_row([*names, *runs]), _row(["---"] * len(names) + ["---:"] * len(runs))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
