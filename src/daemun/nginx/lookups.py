"""`map`, `geo` and `split_clients` as the Plan's lookups."""

from __future__ import annotations

from collections.abc import Iterable

from daemun.nginx.directive import Directive
from daemun.nginx.making import Making


def lookups(directives: Iterable[Directive], making: Making) -> None:
    """Add the tables of these directives (those of `http`); what is not one of the three is passed over."""
    raise NotImplementedError
