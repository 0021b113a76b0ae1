"""Directives against the catalogue: everything unknown, misplaced or wrongly written, at once."""

from __future__ import annotations

from collections.abc import Sequence

from daemun.errors import Problem
from daemun.nginx.directive import Directive


def judge(directives: Sequence[Directive], *, fragment: bool) -> list[Problem]:
    """Return every problem of these directives."""
    del directives, fragment
    return []
