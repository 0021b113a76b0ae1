"""Where an object of the Plan was written: given back by explain, logs and faults.

The engine reads nothing from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemun.plan.scalars import U32


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The user's name for it (`api@file`), the file ("" when none), the line from 1 (0 when none)."""

    name: str
    file: str
    line: U32
