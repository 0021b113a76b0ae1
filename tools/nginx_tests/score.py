"""The score, file by file, as a page: docs/reference/nginx-tests.md. The reasons stand in reasons.json beside this."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from tools.nginx_tests.run import Ran

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "nginx-tests.md"
REASONS = HERE / "reasons.json"
_HEAD = """# nginx's own test suite

<!-- Written by `make nginx-tests`; the reasons are in tools/nginx_tests/reasons.json. -->

The public suite nginx-tests ({revision}), run through `daemun nginx` as an ordinary user; `tools/nginx_tests/files.txt`
names the files. A file has passed when every test it plans was run and passed, and none was skipped.
"""


def page(runs: Sequence[Ran], reasons: Mapping[str, str], revision: str) -> str:
    """Return the page."""
    counts = Counter(ran.verdict for ran in runs)
    lines = [_HEAD.format(revision=revision), f"**{counts['passed']} of {len(runs)} files wholly passed**; "]
    rest = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common() if verdict != "passed")
    lines[-1] += f"{rest}.\n"
    lines += ["| file | verdict | tests | reason |", "| --- | --- | --- | --- |"]
    lines += [f"| {ran.name} | {ran.verdict} | {_tests(ran)} | {_reason(ran, reasons)} |" for ran in runs]
    return "\n".join(lines) + "\n"


def reasons() -> dict[str, str]:
    """Return the reasons that are known, by file or by a pattern of files."""
    known: dict[str, str] = json.loads(REASONS.read_text(encoding="utf-8"))
    return known


def summary(ran: Ran) -> str:
    """Return a line for whoever watches."""
    why = ran.outcome.skip_all or "; ".join(ran.outcome.failed[:3])
    return f"{ran.verdict:<13} {ran.name:<40} {_tests(ran):>9} {ran.seconds:5.1f} s  {why[:100]}"


def _tests(ran: Ran) -> str:
    done = ran.outcome
    return "" if done.planned is None or done.skip_all else f"{done.passed}/{done.planned}"


def _reason(ran: Ran, reasons: Mapping[str, str]) -> str:
    if ran.verdict == "passed":
        return ""
    patterns = (text for pattern, text in reasons.items() if fnmatch(ran.name, pattern))
    text = reasons.get(ran.name) or next(patterns, "") or ran.outcome.skip_all or "not looked into yet"
    return text.replace("|", "\\|")
