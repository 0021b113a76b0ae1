"""The functions of templates: Go's own, the ones of sprig that people use for rules, and Traefik's `normalize`.

Facts: a function's last argument is what a pipeline hands on, so sprig puts the text last (`trimPrefix "/" .Name`).
Each is declared once, with the kinds of its arguments: `s` text, `i` whole number, `l` list, `m` map, `a` anything, and
`*` behind the last kind when it may be repeated, or absent. `and` and `or` look at their arguments one by one and
stand in go_template.py. Used by it and by the parser alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemun.traefik import go_template_does as does
from daemun.traefik.go_template_does import FunctionError
from daemun.traefik.go_template_values import MISSING, Value, is_true, kind_of, printed
from daemun.traefik.re2_match import PatternError, compile_pattern

_WANTED = {"s": "a text", "i": "a whole number", "l": "a list", "m": "a map"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function and the kinds of its arguments."""

    make: Callable[..., Any]
    kinds: str
    repeats: bool


def call(name: str, arguments: Sequence[Value], *, environment: Mapping[str, str]) -> Value:
    """Return a function's value. Raises FunctionError."""
    if name == "env":
        _check(Function(make=str, kinds="s", repeats=False), arguments)
        return environment.get(str(arguments[0]), "")
    function = FUNCTIONS[name]
    _check(function, arguments)
    try:
        value: Value = function.make(*arguments)
    except PatternError as error:
        raise FunctionError(f"invalid regular expression: {error}") from None
    except (ArithmeticError, OverflowError) as error:
        raise FunctionError(str(error)) from None
    return value


def _check(function: Function, arguments: Sequence[Value]) -> None:
    kinds, most = function.kinds, len(function.kinds)
    least = most - 1 if function.repeats else most
    if len(arguments) < least or (len(arguments) > most and not function.repeats):
        wanted = f"{'at least ' if function.repeats else ''}{least} argument{'s' if least != 1 else ''}"
        raise FunctionError(f"it takes {wanted}, not {len(arguments)}")
    for number, argument in enumerate(arguments):
        kind = kinds[min(number, most - 1)]
        if not _is(argument, kind):
            raise FunctionError(f"argument {number + 1} must be {_WANTED[kind]}, not {kind_of(argument)}")


def _is(value: Value, kind: str) -> bool:
    if kind == "s":
        return isinstance(value, str)
    if kind == "i":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "l":
        return isinstance(value, Sequence) and not isinstance(value, str)
    return kind == "a" or isinstance(value, Mapping)


_DECLARED: dict[str, tuple[str, Callable[..., Any]]] = {
    "not": ("a", lambda value: not is_true(value)),
    "eq": ("aa*", does.equal),
    "ne": ("aa", lambda first, second: not does.equal(first, second)),
    "lt": ("aa", lambda first, second: does.compare(first, second) < 0),
    "le": ("aa", lambda first, second: does.compare(first, second) <= 0),
    "gt": ("aa", lambda first, second: does.compare(first, second) > 0),
    "ge": ("aa", lambda first, second: does.compare(first, second) >= 0),
    "len": ("a", does.length),
    "index": ("aa*", does.item_at),
    "slice": ("li*", does.part_of),
    "print": ("a*", does.run_together),
    "println": ("a*", lambda *values: f"{' '.join(map(printed, values))}\n"),
    "printf": ("sa*", does.formatted),
    "normalize": ("s", does.normalize),
    "lower": ("s", str.lower),
    "upper": ("s", does.upper),
    "title": ("s", does.title),
    "untitle": ("s", lambda text: re.sub(r"(?<!\w)\w", lambda match: match[0].lower(), text)),
    "trim": ("s", str.strip),
    "trimAll": ("ss", lambda chars, text: text.strip(chars) if chars else text),
    "trimall": ("ss", lambda chars, text: text.strip(chars) if chars else text),
    "trimPrefix": ("ss", lambda prefix, text: text.removeprefix(prefix)),
    "trimSuffix": ("ss", lambda suffix, text: text.removesuffix(suffix)),
    "hasPrefix": ("ss", lambda prefix, text: text.startswith(prefix)),
    "hasSuffix": ("ss", lambda suffix, text: text.endswith(suffix)),
    "contains": ("ss", lambda part, text: part in text),
    "replace": ("sss", lambda old, new, text: text.replace(old, new)),
    "repeat": ("is", does.repeated),
    "substr": ("iis", does.substr),
    "trunc": ("is", does.trunc),
    "nospace": ("s", lambda text: "".join(text.split())),
    "quote": ("a*", lambda *values: " ".join(does.quoted(printed(value)) for value in values if value is not None)),
    "squote": ("a*", lambda *values: " ".join(f"'{printed(value)}'" for value in values if value is not None)),
    "cat": ("a*", lambda *values: " ".join(printed(value) for value in values if value is not None)),
    "snakecase": ("s", lambda text: does.words(text, "_")),
    "kebabcase": ("s", lambda text: does.words(text, "-")),
    "camelcase": ("s", does.camel),
    "swapcase": ("s", str.swapcase),
    "toString": ("a", printed),
    "b64enc": ("s", lambda text: base64.b64encode(text.encode()).decode()),
    "b64dec": ("s", does.decoded),
    "sha1sum": ("s", lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()),
    "sha256sum": ("s", lambda text: hashlib.sha256(text.encode()).hexdigest()),
    "env": ("s", str),
    "fail": ("s", does.fail),
    "regexMatch": ("ss", lambda pattern, text: compile_pattern(pattern).search(text) is not None),
    "regexFind": ("ss", does.find),
    "regexFindAll": ("ssi", does.find_all),
    "regexReplaceAll": ("sss", does.expand),
    "regexReplaceAllLiteral": ("sss", does.put),
    "regexSplit": ("ssi", does.regex_split),
    "regexQuoteMeta": ("s", lambda text: re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)),
    "split": ("ss", lambda joint, text: does.numbered(does.split(joint, text))),
    "splitList": ("ss", does.split),
    "splitn": ("sis", lambda joint, most, text: does.numbered(text.split(joint, max(most - 1, 0)))),
    "join": ("sa", does.joined),
    "list": ("a*", lambda *values: list(values)),
    "first": ("l", lambda items: does.end_item(items, 0)),
    "last": ("l", lambda items: does.end_item(items, -1)),
    "rest": ("l", lambda items: list(items[1:])),
    "initial": ("l", lambda items: list(items[:-1])),
    "reverse": ("l", lambda items: list(reversed(items))),
    "uniq": ("l", does.unique),
    "compact": ("l", lambda items: [item for item in items if is_true(item)]),
    "without": ("la*", lambda items, *others: [item for item in items if item not in others]),
    "has": ("al", lambda item, items: item in items),
    "append": ("la", lambda items, item: [*items, item]),
    "prepend": ("la", lambda items, item: [item, *items]),
    "concat": ("l*", lambda *lists: [item for items in lists for item in items]),
    "sortAlpha": ("l", lambda items: sorted(map(printed, items))),
    "toStrings": ("l", lambda items: list(map(printed, items))),
    "dict": ("a*", does.pairs),
    "get": ("ms", lambda items, name: items.get(name, "")),
    "hasKey": ("ms", lambda items, name: name in items),
    "keys": ("m*", lambda *maps: [name for items in maps for name in sorted(items)]),
    "values": ("m", lambda items: [items[name] for name in sorted(items)]),
    "default": ("aa*", lambda other, *given: given[0] if given and is_true(given[0]) else other),
    "empty": ("a", lambda value: not is_true(value)),
    "coalesce": ("a*", lambda *values: next((value for value in values if is_true(value)), MISSING)),
    "ternary": ("aaa", lambda yes, no, value: yes if is_true(value) else no),
    "all": ("a*", lambda *values: all(map(is_true, values))),
    "any": ("a*", lambda *values: any(map(is_true, values))),
    "int": ("a", does.whole),
    "int64": ("a", does.whole),
    "atoi": ("s", does.atoi),
    "add": ("a*", lambda *values: sum(map(does.whole, values))),
    "add1": ("a", lambda value: does.whole(value) + 1),
    "sub": ("aa", lambda first, second: does.whole(first) - does.whole(second)),
    "mul": ("aa", lambda first, second: does.whole(first) * does.whole(second)),
    "div": ("aa", does.divided),
    "mod": ("aa", does.rest_of_division),
    "max": ("aa*", lambda *values: max(map(does.whole, values))),
    "min": ("aa*", lambda *values: min(map(does.whole, values))),
}

FUNCTIONS: dict[str, Function] = {
    name: Function(make=make, kinds=kinds.rstrip("*"), repeats=kinds.endswith("*"))
    for name, (kinds, make) in _DECLARED.items()
}
"""Every function that is called, by its name."""
NAMES = frozenset({*FUNCTIONS, "and", "or"})
