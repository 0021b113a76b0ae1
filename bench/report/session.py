"""Everything one call of the benchmark found: the machine, the versions, one list of outcomes a run."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.bed import Options
from bench.outcome import Outcome, Verdict


@dataclass(frozen=True, kw_only=True)
class Session:
    """One or more runs in a row under the same conditions."""

    machine: str
    versions: Mapping[str, str]
    options: Options
    quick: bool
    began: str
    load: Sequence[str]
    """The machine's load average before each run."""
    runs: Sequence[Sequence[Outcome]]
    left_out: Mapping[str, str]
    """What could not be measured, and why."""

    def scenarios(self) -> list[list[Outcome]]:
        """The same outcomes grouped: one list a scenario, one outcome a run."""
        grouped: dict[str, list[Outcome]] = {}
        for outcomes in self.runs:
            for outcome in outcomes:
                grouped.setdefault(outcome.scenario, []).append(outcome)
        return list(grouped.values())

    def passed(self) -> bool:
        """Whether every bound was kept in every run."""
        return all(
            verdict.passed is not False
            for outcomes in self.runs
            for outcome in outcomes
            for verdict in outcome.verdicts
        )


def verdicts(outcomes: Sequence[Outcome]) -> list[list[Verdict]]:
    """The verdicts of one scenario, grouped: one list a figure, one verdict a run."""
    return [list(column) for column in zip(*(outcome.verdicts for outcome in outcomes), strict=True)]


def save(session: Session, folder: Path) -> Path:
    """Writes everything as JSON under a name made from the time; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    file.write_text(json.dumps(asdict(session), indent=1) + "\n")
    return file


def number(value: float) -> str:
    """Three or four significant digits, thousands separated, no exponent."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
