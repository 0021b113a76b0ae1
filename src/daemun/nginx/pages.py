"""nginx's own pages: the HTML that stands in an answer without a text."""

from __future__ import annotations


def page(status: int) -> str:
    """Return the page of a status; empty when nginx has none."""
    raise NotImplementedError
