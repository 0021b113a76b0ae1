"""Waiting for a fact, with a generous limit and no guess about how long it takes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds any single wait may take before the test has failed. Large, for test machines are slow and shared.
LIMIT = 30.0


def until(fact: Callable[[], T], *, what: str, limit: float = LIMIT) -> T:
    """Asks until `fact()` is true and returns what it gave; AssertionError after `limit` seconds."""
    end = time.monotonic() + limit
    for look in itertools.count():
        value = fact()
        if value:
            return value
        assert time.monotonic() < end, f"waited {limit} s for: {what}"
        time.sleep(0 if look < 50 else 0.002)  # the only pause of the kit: between two looks, never instead of one
    raise AssertionError  # not reached
