"""RE2 patterns matched by Python, where configuration itself is chosen or made: constraints, templates.

Requests are matched by the engine, never here. The pattern is judged as RE2 first, so that it has a place when it is
wrong; what Python's `re` spells otherwise is spelt its way, and the few things it does not have are refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

from daemun.traefik.re2 import PatternError, canonical_pattern

__all__ = ["PatternError", "compile_pattern"]

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "space": r"\s",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_SPELT = re.compile(r"\\(?P<escape>.)|\[:(?P<posix>\^?[a-z]+):\]", re.DOTALL)


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern that can be searched for. Raises PatternError."""
    try:
        return re.compile(_SPELT.sub(_spelt, canonical_pattern(pattern)), re.ASCII)
    except re.error as error:
        index = min(error.pos or 0, max(len(pattern) - 1, 0))
        raise PatternError(f"this cannot be matched here: {error.msg}", index=index) from None


def _spelt(match: re.Match[str]) -> str:
    """Return one piece as Python spells it."""
    if match["escape"] is not None:
        return r"\Z" if match["escape"] == "z" else match[0]
    if match["posix"] not in _POSIX:
        raise PatternError(f"[:{match['posix']}:] cannot be matched here", index=0)
    return _POSIX[match["posix"]]
