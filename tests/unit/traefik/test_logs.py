"""Log options."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from daemun.traefik.logs import AccessLog, AccessLogFilters, Log


@pytest.mark.parametrize("level", ["DEBUG", "error", "Warn"])
def test_levels_have_no_case(level: str) -> None:
    """A level is known in any case."""
    assert Log(level=level).level == level.lower()  # type: ignore[arg-type]


def test_defaults_are_traefiks() -> None:
    """Common format, headers dropped, query kept."""
    log = AccessLog()
    assert log.format == "common"
    assert log.fields_.default_mode == "keep"
    assert log.fields_.headers.default_mode == "drop"
    assert log.fields_.query_parameters.default_mode == "keep"


@pytest.mark.parametrize("status", ["20", "abc", "200-", "600", "200-300-400"])
def test_statuses_are_checked(status: str) -> None:
    """A status filter is a number or a range."""
    with pytest.raises(ValidationError, match="is no status"):
        AccessLogFilters(status_codes=(status,))
