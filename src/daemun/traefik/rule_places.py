"""A rule's error moved from the rule text to its file.

Used by everything that reads rules out of documents. When the rule stands on one line as it was parsed,
the caret goes under the fault itself; in a folded or escaped text the rule is shown on its own instead.
"""

from __future__ import annotations

from dataclasses import replace

from daemun.config.document import Document, Path
from daemun.config.section import subject
from daemun.errors import Place, Problem, RuleError


def place_rule_problem(error: RuleError, document: Document, path: Path) -> Problem:
    """Return the rule's Problem with its place in the document."""
    place = document.place(path, value=True)
    at = place.source.find(error.rule, max(place.column - 1, 0)) if error.rule.strip() else -1
    message = f"in the rule, byte {error.offset + 1}: {error.problem.message}"
    found = error.rule
    if at >= 0:
        index = min(error.index, max(len(error.rule) - 1, 0)) if error.problem.message else 0
        place = replace(place, column=at + index + 1, width=min(error.width, max(len(error.rule) - index, 1)))
    elif error.rule.strip():
        # The rule is folded over lines or escaped: name the line it begins on, show the rule itself.
        place = Place(file=place.file, line=place.line, column=place.column)
        message = f"{message} (rule: {error.rule!r})"
    return replace(error.problem, message=message, place=place, subject=subject(path), found=found)
