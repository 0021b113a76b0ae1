"""What a scenario found: values a peer and round, and verdicts against the bounds of issue 3."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One figure of Daemun's against its bound: a ratio or an absolute value, one a round."""

    label: str
    values: Sequence[float]
    unit: str = "x"
    bound: float | None = None
    """The median must not exceed it; nothing is judged without one."""
    around: float | None = None
    """With it the median may differ from `around` by the fraction `bound` either way."""

    @property
    def minimum(self) -> float:
        """The smallest of the rounds."""
        return min(self.values)

    @property
    def median(self) -> float:
        """The median of the rounds: what is judged."""
        return statistics.median(self.values)

    @property
    def passed(self) -> bool | None:
        """None when there is no bound."""
        if self.bound is None:
            return None
        if self.around is None:
            return self.median <= self.bound
        return abs(self.median / self.around - 1) <= self.bound

    @property
    def required(self) -> str:
        """The bound in words."""
        if self.bound is None:
            return "shown"
        if self.around is None:
            return f"≤ {self.bound:g}"
        return f"{self.around:g} ± {self.bound:.0%}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A scenario's result: one row a peer (or variant), the verdicts, and what must be said beside them."""

    scenario: str
    title: str
    unit: str
    rows: Mapping[str, Sequence[float]]
    verdicts: Sequence[Verdict] = ()
    notes: Sequence[str] = ()
    details: Sequence[Mapping[str, object]] = field(default=())
    """Every sample as it was taken, for the JSON results."""


def ratios(
    rows: Mapping[str, Sequence[float]], bounds: Mapping[str, float | None], *, of: str = "daemun"
) -> list[Verdict]:
    """The per-round ratio of one row to each of the others; empty when `of` was not measured."""
    return [
        Verdict(
            label=f"{of} / {name}",
            values=[mine / theirs for mine, theirs in zip(rows[of], values, strict=True)],
            bound=bounds.get(name),
        )
        for name, values in rows.items()
        if name != of and of in rows
    ]
