"""The table of media types."""

from __future__ import annotations

import pytest

from daemun.traefik.media_types import media_types


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [
        ("html", "text/html; charset=utf-8"),
        ("js", "text/javascript; charset=utf-8"),
        ("json", "application/json"),
        ("svg", "image/svg+xml"),
        ("woff2", "font/woff2"),
        ("wasm", "application/wasm"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_types(extension: str, media_type: str) -> None:
    """What browsers insist on is right; texts say how they are written."""
    assert media_types()[extension] == media_type


def test_extensions_are_plain() -> None:
    """Lower-case and without a dot, as the Plan wants them."""
    assert all(extension.isalnum() and extension == extension.lower() for extension in media_types())
    assert len(media_types()) > 100
