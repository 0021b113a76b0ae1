"""What a test file said, in the Test Anything Protocol: text in, numbers out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?$", re.IGNORECASE)
_LINE = re.compile(r"^(not )?ok\b(?:\s+(\d+))?(?:\s*-?\s*([^#]*?))?\s*(?:#\s*(\w+)\s*(.*))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`planned` is None when the file never said it. A test that is expected to fail (TODO) counts as passed."""

    planned: int | None
    passed: int
    failed: tuple[str, ...]
    skipped: int
    skip_all: str

    @property
    def is_whole(self) -> bool:
        """Whether every planned test was run and passed."""
        return bool(self.planned) and not self.failed and self.passed == self.planned and not self.skipped


def outcome(text: str) -> Outcome:
    """Return what these lines say."""
    planned: int | None = None
    passed = skipped = 0
    failed: list[str] = []
    skip_all = ""
    for line in text.splitlines():
        if plan := _PLAN.match(line):
            planned = int(plan[1])
            skip_all = (plan[2] or "no reason given") if not planned else ""
        elif said := _LINE.match(line):
            word = (said[4] or "").lower()
            if said[1] and word != "todo":
                failed.append((said[3] or said[2] or "?").strip())
            elif word == "skip":
                skipped += 1
            else:
                passed += 1
    return Outcome(planned=planned, passed=passed, failed=tuple(failed), skipped=skipped, skip_all=skip_all)
