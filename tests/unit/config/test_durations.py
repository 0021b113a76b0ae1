"""Durations as Go writes them."""

from __future__ import annotations

import pytest

from daemun.config.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("500ms", 0.5),
        (".5s", 0.5),
        ("100us", 1e-4),
        ("100µs", 1e-4),
        ("10", 10),
        (10, 10),
        (2.0, 2),
        ("0", 0),
        ("-1ms", -0.001),
        ("-1", -1),
        ("+3s", 3),
    ],
)
def test_accepted(text: object, seconds: float) -> None:
    """Go's units, sums of them, and bare whole numbers as seconds."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "10 s", "s", "1d", "1m 30s", "ten", True, 1.5, None, [], "1e3s", "--1s", "9" * 30]
)
def test_refused(text: object) -> None:
    """Anything else is a ValueError that says what to write."""
    with pytest.raises(ValueError, match=r"write 10s|292 years"):
        parse_duration(text)
