"""Durations as Go writes them, to seconds.

`10s`, `1m30s`, `1.5h`, `-1ms`, and a bare whole number, which means seconds. Used by the models of
every language that takes Go durations; nginx's own spelling (`10m`, `1d 2h`) is not read here.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 9_223_372_036.0  # Go counts nanoseconds in 63 bits


def parse_duration(value: object) -> float:
    """Return seconds. Raises ValueError with a sentence that says what is accepted."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(_advice(value))  # noqa: TRY004  (pydantic turns ValueError into a problem)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(_advice(value))
    text = str(value).strip() if isinstance(value, str) else str(int(value))
    bare = text.removeprefix("-").removeprefix("+") if text[:1] in "+-" else text
    sign = -1.0 if text.startswith("-") else 1.0
    if bare.isascii() and bare.isdigit():
        seconds = float(bare)
    else:
        parts = _PART.findall(bare)
        if not parts or "".join(number + unit for number, unit in parts) != bare:
            raise ValueError(_advice(value))
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than 292 years")
    return sign * seconds


def _advice(value: object) -> str:
    return f"{value!r} is no duration: write 10s, 1m30s, 500ms, or a whole number of seconds"


Seconds = Annotated[float, BeforeValidator(parse_duration)]
