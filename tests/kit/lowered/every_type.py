"""A Plan in which every type and every variant stands at least once, made from the types themselves.

It means nothing; it is there so that the strictness tests of both languages reach what no example uses. A struct is
made as often as its richest field has variants; what contains itself is made small inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from daemun.plan.codec import fields_of
from daemun.plan.plan import VERSION, Plan

_SCALARS: dict[Any, list[Any]] = {NoneType: [None], str: ["Größe `1`"], int: [1], bool: [True, False]}


def every_type() -> Plan:
    """The Plan."""
    made: Plan = _Samples().of(Plan, ())[0]
    return replace(made, version=VERSION)


class _Samples:
    """Makes values; a type is shown whole once and by one value after that."""

    def __init__(self) -> None:
        self.shown: set[Any] = set()

    def of(self, kind: Any, within: tuple[Any, ...]) -> list[Any]:
        """Values that show everything of a type; none when it already stands twice around itself."""
        if within.count(kind) > 1:
            return []
        origin = get_origin(kind)
        if origin is Annotated:
            return self.of(kind.__origin__, within)
        if origin is tuple:
            return self._rows(get_args(kind), within)
        if origin is Mapping:
            key, entry = get_args(kind)
            return self._maps(key, entry, within)
        if kind not in self.shown:
            if kind not in _SCALARS:
                self.shown.add(kind)
            return self._whole(kind, (*within, kind))
        before = set(self.shown)
        one = self._whole(kind, (*within, kind))[:1]
        self.shown = before  # what is cut off here was not shown
        return one

    def _whole(self, kind: Any, within: tuple[Any, ...]) -> list[Any]:
        if get_origin(kind) is not None:
            members = sorted(get_args(kind), key=lambda member: member is NoneType)
            return [value for member in members for value in self.of(member, within)]
        if kind in _SCALARS:
            return _SCALARS[kind]
        if is_dataclass(kind):
            make: Any = kind
            columns = {name: self.of(hint, within) for name, _, hint in fields_of(make)}
            count = max((len(values) for values in columns.values()), default=1) if all(columns.values()) else 0
            return [
                make(**{name: values[row % len(values)] for name, values in columns.items()}) for row in range(count)
            ]
        return list(kind)

    def _rows(self, members: tuple[Any, ...], within: tuple[Any, ...]) -> list[Any]:
        if members[-1] is Ellipsis:
            return [tuple(self.of(members[0], within))]
        return [tuple(self.of(member, within)[0] for member in members)]

    def _maps(self, key: Any, entry: Any, within: tuple[Any, ...]) -> list[Any]:
        values = self.of(entry, within)
        if isinstance(key, type) and issubclass(key, StrEnum):
            return [{name: values[index % len(values)] for index, name in enumerate(key)}]
        return [{f"object {index}": value for index, value in enumerate(values)}]
