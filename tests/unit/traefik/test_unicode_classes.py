"""Names of Unicode classes."""

from __future__ import annotations

from daemun.traefik.unicode_classes import UNICODE_CLASSES


def test_categories_and_scripts() -> None:
    """One-letter and two-letter categories, and scripts, in Go's spelling."""
    assert {"L", "Lu", "Nd", "Greek", "Hangul", "Old_Italic", "Any"} <= UNICODE_CLASSES
    assert not {"greek", "Klingon", ""} & UNICODE_CLASSES
