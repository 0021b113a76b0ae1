"""A configuration, read and lowered for `daemun nginx`: what is served, what the process does, what is wrong.

The border to `daemun.nginx`: its readers and its lowering are called here and nowhere else in this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daemun.engine.bundle import Bundle
from daemun.errors import Problem
from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.paths import Paths
from daemun.run.drop_in.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`bundle` is None when the configuration cannot be used; `files` are all that were read, in order."""

    settings: Settings
    bundle: Bundle | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]


def load(flags: Flags, paths: Paths) -> Loaded:
    """Read and lower."""
    raise NotImplementedError


def tried(loaded: Loaded) -> str:
    """Return why the engine would refuse it, found without binding anything; empty when it would not."""
    return ""


def is_served(directive: str) -> bool:
    """Tell whether a directive works here."""
    return False
