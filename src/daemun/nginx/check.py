"""Everything wrong in an nginx configuration, at once: what `daemun check` shows.

    file ─ read ─ lower ─► Problems in the order of the files; with `idle`, what has no effect here too

Prints nothing, and raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from daemun.errors import ConfigError, Problem, in_order
from daemun.needs import Needs
from daemun.nginx.certificates import Resolver
from daemun.nginx.judge import idle
from daemun.nginx.levels import is_fragment
from daemun.nginx.lower import lower
from daemun.nginx.process import ignored_user
from daemun.nginx.read import read

# What else a configuration leads to and has to be looked at: its certificates.
Look = Callable[[Needs], list[Problem]]


def look_at_nothing(_needs: Needs) -> list[Problem]:
    """Look at no other file."""
    return []


def check(
    path: Path, *, acme: Resolver | None = None, with_idle: bool = False, look: Look = look_at_nothing
) -> list[Problem]:
    """Return every problem of a file and what it includes."""
    found = read(path)
    try:
        draft = lower(found, acme=acme)
        problems = [*draft.problems, *look(draft.needs)]
    except ConfigError as error:
        problems = list(error.problems)
    if with_idle:
        problems.extend(idle(found.directives, fragment=is_fragment(found.directives)))
        problems.extend(ignored_user(found.directives, severity="info"))
    return in_order(problems)
