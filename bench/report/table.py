"""The table in the terminal: one block a scenario, plain text, colour only for pass and fail on a terminal."""

import statistics
import sys
from collections.abc import Sequence

from bench.outcome import Outcome, Verdict
from bench.report.session import Session, number, verdicts

GREEN, RED, BOLD, RESET = "\033[32m", "\033[31m", "\033[1m", "\033[0m"


def show(session: Session) -> str:
    """The whole report as text."""
    lines = ["", _paint(BOLD, session.machine), f"load average before the run: {', '.join(session.load)}"]
    for outcomes in session.scenarios():
        lines += ["", *_block(outcomes)]
    if session.left_out:
        lines += ["", *(f"not measured: {name}: {why}" for name, why in session.left_out.items())]
    if session.quick:
        lines += ["", "--quick: a check of the harness, not figures to publish"]
    return "\n".join(lines)


def _block(outcomes: Sequence[Outcome]) -> list[str]:
    first = outcomes[0]
    wide = max(map(len, [*first.rows, *(figure.label for figure in first.verdicts)]))
    lines = [_paint(BOLD, f"{first.scenario}: {first.title}")]
    for name in first.rows:
        runs = "   ".join(_values(outcome.rows[name]) for outcome in outcomes)
        lines.append(f"  {name:<{wide}} {runs}  {first.unit}")
    for figures in verdicts(outcomes):
        runs = "   ".join(_judged(figure) for figure in figures)
        lines.append(f"  {figures[0].label:<{wide}} {runs}  {figures[0].unit}  {figures[0].required}")
    notes = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
    return lines + [f"  ({note})" for note in notes]


def _values(values: Sequence[float]) -> str:
    return f"min {number(min(values)):>8}  median {number(statistics.median(values)):>8}"


def _judged(figure: Verdict) -> str:
    mark = {True: _paint(GREEN, "pass"), False: _paint(RED, "FAIL"), None: "    "}[figure.passed]
    return f"{_values(figure.values)} {mark}"


def _paint(code: str, text: str) -> str:
    return f"{code}{text}{RESET}" if sys.stdout.isatty() else text
