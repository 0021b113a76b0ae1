"""Values within a template: what is true, how one is written, how two compare. As in Go, for the kinds we have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Missing:
    """What an absent field of a map is: false, and nothing that can be written."""


MISSING = Missing()
Scalar = str | bool | int | float | None
Value = Scalar | Missing | Sequence["Value"] | Mapping[str, "Value"]


def is_true(value: Value) -> bool:
    """Tell what `if` thinks of a value."""
    return not isinstance(value, Missing) and bool(value)


def printed(value: Value) -> str:
    """Return a value as Go writes it with %v."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if value is None or isinstance(value, Missing):
        return "<no value>"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{name}:{_inside(value[name])}' for name in sorted(value))}]"
    return f"[{' '.join(map(_inside, value))}]"


def kind_of(value: Value) -> str:
    """Return what a value is, as messages say it."""
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "a map"
    return "nothing" if value is None or isinstance(value, Missing) else "a list"


def _inside(value: Value) -> str:
    return "<nil>" if value is None else printed(value)
