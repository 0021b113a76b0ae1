"""On what terms a configuration wants the engine's process to run: what no Plan has a place for.

    a language ─ EngineTerms ─► supervisor ─► daemun.engine.process, daemun.engine.ownership

Pure values; they count when an engine is started, not for one that runs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of this machine; `groups` are all he is in, `gid` among them."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTerms:
    """`threads` is None for one a core, `account` None for whoever starts it, `temp_dir` empty for the engine's own."""

    threads: int | None = None
    account: Account | None = None
    temp_dir: str = ""
