"""Readers and writers of JSON, made from the types themselves, in the shapes serde gives the Rust twin.

A dataclass is an object with exactly its fields. A union is a Rust enum, tagged from outside: a variant without
fields is a string, a `Newtype` is `{"tag": value}`, any other `{"tag": {fields}}`; a StrEnum alone is a string
and inside a union `{"tag": "member"}`. `Annotated[Union, Tag("jump")]` is an enum that is a variant of another.
Writers trust the type checker; readers trust nothing and say where they stopped (`routes.api@file.action`).
Each function is made once a type and kept; nothing here knows a particular type of the Plan.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from daemun.errors import PlanError

# `Any` is right here: this is the edge where text comes in, and the shape is known only at run time.
Write = Callable[[Any], str]
Read = Callable[[Any], Any]


class MalformedPlan(PlanError):
    """JSON that is no Plan; `path` leads to the value, `found` says what is wrong with it."""

    def __init__(self, found: str) -> None:
        """Start at the value itself; containers add their key on the way out."""
        super().__init__(found)
        self.found = found
        self.path = ""

    def under(self, key: str) -> MalformedPlan:
        """Put one more key before the path."""
        glue = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{key}{glue}{self.path}"
        return self

    def __str__(self) -> str:
        """Return `path: found`."""
        return f"{self.path or 'plan'}: {self.found}"


class Newtype:
    """A variant that is its one field, as in Rust's `Variant(value)`; written positionally."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of an integer, 0 to `high`."""

    high: int


@dataclass(frozen=True, slots=True)
class Tag:
    """The name of an enum as a variant of another enum."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a field in JSON, where Python's differs by more than a closing underscore."""

    name: str


class Repeated(dict[str, Any]):
    """An object in which a key stood twice."""

    first_repeated: ClassVar[str] = ""


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of the pairs (for json's object_pairs_hook); `Repeated` if a key stands twice."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(found)


_writers: dict[Any, Write] = {}
_readers: dict[Any, Read] = {}


def writer(of: Any) -> Write:
    """Return what writes a value of this type; see `written`."""
    if of not in _writers:
        _make_writer(of)
    return _writers[of]


def reader(of: Any) -> Read:
    """Return what turns parsed JSON into a value of this type or raises MalformedPlan."""
    if of not in _readers:
        _make_reader(of)
    return _readers[of]


def tag_of(variant: Any) -> str:
    """Return the name of a variant in JSON: its `TAG`, or its class name in snake case."""
    if get_origin(variant) is Annotated:
        return next(extra.name for extra in variant.__metadata__ if isinstance(extra, Tag))
    explicit = variant.__dict__.get("TAG")
    return explicit if isinstance(explicit, str) else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", variant.__name__).lower()


def fields_of(of: Any) -> list[tuple[str, str, Any]]:
    """Return (name in Python, name in JSON, type) of each field, in order."""
    hints = get_type_hints(of, include_extras=True)
    return [(field.name, _key(field.name, hints[field.name]), hints[field.name]) for field in fields(of)]


def variants_of(of: Any) -> tuple[Any, ...]:
    """Return the members of a union without None."""
    if get_origin(of) is Annotated:
        return variants_of(of.__origin__)
    return tuple(member for member in get_args(of) if member is not types.NoneType)


def _key(name: str, hint: Any) -> str:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Key):
            return extra.name
    return name.rstrip("_")


def _is_union(of: Any) -> bool:
    return get_origin(of) in (types.UnionType, Union)


def _without_none(of: Any) -> Any:
    """Return what an optional type holds, or None when it is not optional."""
    members = get_args(of) if _is_union(of) else ()
    if types.NoneType not in members:
        return None
    rest = variants_of(of)
    return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 (made at run time)


# Writing: straight to text, for a tree in between would cost as much again. What stands in many places is written once.

_plain: dict[Any, Write] = {
    str: encode_basestring,
    bool: {False: "false", True: "true"}.__getitem__,
    int: int.__repr__,
}
# What has been written in one call, a dict for each type, by identity; each text with its value, so that no other value
# can have its identity meanwhile.
_Texts = dict[int, tuple[Any, str]]
_texts: list[_Texts] = []


def written(of: Any, value: Any) -> str:
    """Return a value of this type as JSON, compact, fields in order."""
    return written_all(of, value)[0]


def written_all(of: Any, *values: Any) -> list[str]:
    """Return several values of this type so; what they share is written once."""
    try:
        write = writer(of)
        return [write(value) for value in values]
    finally:
        for texts in _texts:
            texts.clear()


def _make_writer(of: Any) -> None:
    inner = _without_none(of)
    if get_origin(of) is Annotated:
        _writers[of] = writer(of.__origin__)
    elif inner is not None:
        write = writer(inner)
        _writers[of] = lambda value: "null" if value is None else write(value)
    elif _is_union(of):
        _make_union_writer(of)
    elif get_origin(of) is tuple:
        _make_list_writer(of)
    elif get_origin(of) is Mapping:
        entry = _once(writer(get_args(of)[1]))
        _writers[of] = lambda value: (
            "{" + ",".join([f"{encode_basestring(key)}:{entry(one)}" for key, one in value.items()]) + "}"
        )
    elif is_dataclass(of):
        _make_struct_writer(of)
    elif issubclass(of, StrEnum):
        _writers[of] = {member: encode_basestring(member.value) for member in of}.__getitem__
    else:
        _writers[of] = _plain[of]


def _make_list_writer(of: Any) -> None:
    members = get_args(of)
    if members[-1] is Ellipsis:
        item = writer(members[0])
        _writers[of] = _once(lambda value: "[" + ",".join([item(one) for one in value]) + "]")
        return
    items = [writer(one) for one in members]
    _writers[of] = lambda value: "[" + ",".join([item(one) for item, one in zip(items, value, strict=True)]) + "]"


def _make_struct_writer(of: Any) -> None:
    known = fields_of(of)
    shape = "{" + ",".join(f"{encode_basestring(key)}:%s" for _, key, _ in known) + "}"
    writers: list[Write] = []
    if len(known) == 1:
        get = attrgetter(known[0][0])
        _writers[of] = lambda value: shape % writers[0](get(value))
    elif known:
        get = attrgetter(*(attribute for attribute, _, _ in known))
        _writers[of] = lambda value: shape % tuple([write(one) for write, one in zip(writers, get(value), strict=True)])
    else:
        _writers[of] = lambda _: shape
    writers.extend(writer(hint) for _, _, hint in known)


def _make_union_writer(of: Any) -> None:
    by_class: dict[type, Write] = {}
    _writers[of] = _once(lambda value: by_class[type(value)](value))
    for variant in variants_of(of):
        by_class.update(_variant_writers(variant))


def _variant_writers(variant: Any) -> dict[type, Write]:
    tag = tag_of(variant)
    if get_origin(variant) is Annotated:
        members = [one for member in variants_of(variant) for one in _variant_writers(member).items()]
        return {kind: _tagged(tag, write) for kind, write in members}
    if issubclass(variant, StrEnum):
        return {variant: _tagged(tag, writer(variant))}
    known = fields_of(variant)
    if not known:
        return {variant: lambda _: encode_basestring(tag)}
    if issubclass(variant, Newtype):
        get = attrgetter(known[0][0])
        inner = writer(known[0][2])
        return {variant: _tagged(tag, lambda value: inner(get(value)))}
    return {variant: _tagged(tag, writer(variant))}


def _tagged(tag: str, write: Write) -> Write:
    head = f"{{{encode_basestring(tag)}:"
    return lambda value: f"{head}{write(value)}}}"


def _once(write: Write) -> Write:
    """Return a writer that writes the very same value once: most servers share most of what they say."""
    texts: _Texts = {}
    _texts.append(texts)

    def kept(value: Any) -> str:
        known = texts.get(id(value))
        if known is not None:
            return known[1]
        text = write(value)
        texts[id(value)] = (value, text)
        return text

    return kept


# Reading


def _make_reader(of: Any) -> None:
    inner = _without_none(of)
    if get_origin(of) is Annotated:
        high = next((extra.high for extra in of.__metadata__ if isinstance(extra, Range)), None)
        _readers[of] = reader(of.__origin__) if high is None else _integer(high)
    elif inner is not None:
        read = reader(inner)
        _readers[of] = lambda value: None if value is None else read(value)
    elif _is_union(of):
        _make_union_reader(of)
    elif get_origin(of) is tuple:
        members = get_args(of)
        _readers[of] = _list(reader(members[0])) if members[-1] is Ellipsis else _row([reader(one) for one in members])
    elif get_origin(of) is Mapping:
        _readers[of] = _mapping(reader(get_args(of)[0]), reader(get_args(of)[1]))
    elif is_dataclass(of):
        _make_struct_reader(of)
    elif isinstance(of, type) and issubclass(of, StrEnum):
        _readers[of] = _member(of)
    else:
        _readers[of] = {str: _text, bool: _truth}[of]


def _make_struct_reader(of: Any) -> None:
    known: list[tuple[str, str, Read]] = []
    _readers[of] = lambda value: of(**_members(value, known))
    known.extend((attribute, key, reader(hint)) for attribute, key, hint in fields_of(of))


def _members(value: Any, known: list[tuple[str, str, Read]]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedPlan(f"expected an object, found {_named(value)}")
    if isinstance(value, Repeated):
        raise MalformedPlan("a field stands twice")
    out: dict[str, Any] = {}
    for attribute, key, read in known:
        if key not in value:
            raise MalformedPlan("missing").under(key)
        try:
            out[attribute] = read(value[key])
        except MalformedPlan as fault:
            raise fault.under(key) from None
    if len(out) != len(value):
        unknown = next(key for key in value if all(key != name for _, name, _ in known))
        raise MalformedPlan(f"unknown field, expected one of {', '.join(key for _, key, _ in known)}").under(unknown)
    return out


def _make_union_reader(of: Any) -> None:
    units: dict[str, Any] = {}
    tagged: dict[str, Read] = {}

    def read(value: Any) -> Any:
        if isinstance(value, str) and value in units:
            return units[value]
        if isinstance(value, dict) and len(value) == 1 and not isinstance(value, Repeated):
            [(tag, content)] = value.items()
            if tag in tagged:
                try:
                    return tagged[tag](content)
                except MalformedPlan as fault:
                    raise fault.under(tag) from None
        expected = ", ".join([f'"{tag}"' for tag in units] + [f'{{"{tag}": …}}' for tag in tagged])
        raise MalformedPlan(f"expected one of {expected}, found {_named(value)}")

    _readers[of] = read
    for variant in variants_of(of):
        tag = tag_of(variant)
        if get_origin(variant) is Annotated or issubclass(variant, StrEnum):
            tagged[tag] = reader(variant)
        elif not (known := fields_of(variant)):
            units[tag] = variant()
        elif issubclass(variant, Newtype):
            tagged[tag] = _newtype(variant, reader(known[0][2]))
        else:
            tagged[tag] = reader(variant)


def _newtype(variant: Any, read: Read) -> Read:
    return lambda value: variant(read(value))


def _list(item: Read) -> Read:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise MalformedPlan(f"expected a list, found {_named(value)}")
        out = []
        for index, one in enumerate(value):
            try:
                out.append(item(one))
            except MalformedPlan as fault:
                raise fault.under(f"[{index}]") from None
        return tuple(out)

    return read


def _row(items: list[Read]) -> Read:
    every = _list(lambda value: value)

    def read(value: Any) -> tuple[Any, ...]:
        row = every(value)
        if len(row) != len(items):
            raise MalformedPlan(f"expected {len(items)} values, found {len(row)}")
        return tuple(item(one) for item, one in zip(items, row, strict=True))

    return read


def _mapping(read_key: Read, entry: Read) -> Read:
    def read(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise MalformedPlan(f"expected an object, found {_named(value)}")
        if isinstance(value, Repeated):
            raise MalformedPlan("a name stands twice")
        out = {}
        for key, one in value.items():
            try:
                out[read_key(key)] = entry(one)
            except MalformedPlan as fault:
                raise fault.under(key) from None
        return out

    return read


def _integer(high: int) -> Read:
    def read(value: Any) -> int:
        if type(value) is not int:
            raise MalformedPlan(f"expected an integer, found {_named(value)}")
        if not 0 <= value <= high:
            raise MalformedPlan(f"expected an integer from 0 to {high}, found {value}")
        return value

    return read


def _member(of: type[StrEnum]) -> Read:
    known = {member.value: member for member in of}

    def read(value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in known:
            raise MalformedPlan(f"expected one of {', '.join(known)}, found {_named(value)}")
        return known[value]

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedPlan(f"expected a string, found {_named(value)}")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise MalformedPlan("half of a surrogate pair")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MalformedPlan(f"expected true or false, found {_named(value)}")
    return value


def _named(value: Any) -> str:
    """Say in a few words what stands there."""
    if isinstance(value, dict):
        return f"an object of {', '.join(list(value)[:3]) or 'nothing'}"
    return "a list" if isinstance(value, list) else "null" if value is None else repr(value)[:60]
