"""What the functions of templates do: Go's own, sprig's for texts, lists and numbers, and Traefik's `normalize`.

Facts (text/template, sprig v3): a length counts bytes; a map gives "" for a missing name; what is no number is 0;
`$1` and `${name}` in a replacement mean groups. Only what takes more than one expression stands here: which functions
there are, and what they take, is said in go_template_functions.py.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

from daemun.traefik.go_template_values import MISSING, Missing, Value, kind_of, printed
from daemun.traefik.re2_match import compile_pattern

_LONGEST = 100_000  # characters; what repeat could make of a label
_GROUP = re.compile(r"\$\$|\$(\w+)|\$\{(\w+)\}", re.ASCII)


class FunctionError(Exception):
    """What a function was given cannot be used."""


def normalize(text: str) -> str:
    """Return a text with one dash for each run of what is neither letter nor digit, and none at its ends."""
    kept = (char if char.isalpha() or unicodedata.category(char)[0] == "N" else " " for char in text)
    return "-".join("".join(kept).split())


def item_at(value: Value, *keys: Value) -> Value:
    """Return an item of a list or a map, and so on inwards."""
    for key in keys:
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                raise FunctionError(f"a map is asked by a text, not {kind_of(key)}")
            value = value.get(key, "")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if not isinstance(key, int) or not 0 <= key < len(value):
                raise FunctionError(f"there is no item {printed(key)}: there are {len(value)}")
            value = value[key]
        else:
            raise FunctionError(f"{kind_of(value)} has no items")
    return value


def part_of(items: Sequence[Value], *bounds: int) -> Value:
    """Return a piece of a list."""
    if len(bounds) > 2:
        raise FunctionError("it takes a list, and where its piece begins and ends")
    start, end = (*bounds, *(0, len(items))[len(bounds) :])
    if not 0 <= start <= end <= len(items):
        raise FunctionError(f"there is nothing from {start} to {end}: there are {len(items)}")
    return items[start:end]


def compare(first: Value, second: Value) -> int:
    """Return -1, 0 or 1."""
    if isinstance(first, str) and isinstance(second, str):
        return (first > second) - (first < second)
    if isinstance(first, int | float) and isinstance(second, int | float):
        return (first > second) - (first < second)
    raise FunctionError(f"{kind_of(first)} and {kind_of(second)} cannot be compared")


def equal(first: Value, *others: Value) -> bool:
    """Tell whether a value equals one of the others."""
    if not others:
        raise FunctionError("there is nothing to compare with")
    if any(type(first) is not type(other) and not _is_nothing(first, other) for other in others):
        raise FunctionError("values of different kinds cannot be compared")
    return first in others


def _is_nothing(*values: Value) -> bool:
    return any(value is None or isinstance(value, Missing) for value in values)


def length(value: Value) -> int:
    """Return how many items, or bytes of a text."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | Sequence):
        return len(value)
    raise FunctionError(f"{kind_of(value)} has no length")


def run_together(*values: Value) -> str:
    """Join values as Go's Print: a blank between two that are both no text."""
    out = ""
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            out += " "
        out += printed(value)
    return out


def formatted(form: str, *values: Value) -> str:
    """Return values put into a form, as Printf does for %s, %d, %v and %q."""
    given = list(values)

    def one(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        if not given:
            raise FunctionError(f"there is no value for {match[0]}")
        value = given.pop(0)
        if match[2] == "d":
            if not isinstance(value, int) or isinstance(value, bool):
                raise FunctionError(f"{match[0]} takes a whole number, not {kind_of(value)}")
            return f"%{match[1]}d" % value
        text = quoted(printed(value)) if match[2] == "q" else printed(value)
        return f"%{match[1]}s" % text

    out = re.sub(r"%([-0]?[0-9]*)([%a-zA-Z])", one, form)
    unknown = re.search(r"%[-0]?[0-9]*([a-zA-Z])", form)
    if unknown is not None and unknown[1] not in "sdvq":
        raise FunctionError(f"{unknown[0]} is not known: there are %s, %d, %v and %q")
    return out


def quoted(text: str) -> str:
    """Return a text in double quotes, as Go writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def title(text: str) -> str:
    """Return a text with each word's first letter large."""
    return re.sub(r"(?<!\w)\w", lambda match: match[0].upper(), text)


def repeated(times: int, text: str) -> str:
    """Return a text several times."""
    if times < 0 or times * len(text) > _LONGEST:
        raise FunctionError(f"a text cannot be repeated {times} times")
    return text * times


def substr(start: int, end: int, text: str) -> str:
    """Return the characters from one place to another; a negative end is the last."""
    start = max(start, 0)
    return text[start:] if end < 0 or end > len(text) else text[start:end]


def trunc(length: int, text: str) -> str:
    """Return the first characters, or the last ones when the number is negative."""
    if length < 0:
        return text[length:] if len(text) > -length else text
    return text[:length]


def words(text: str, joint: str) -> str:
    """Return a text in snake_case or kebab-case."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    return joint.join(word.lower() for word in re.split(r"[\s_\-.]+", parted) if word)


def camel(text: str) -> str:
    """Return a text in camelCase."""
    first, *others = [word for word in re.split(r"[\s_\-]+", text) if word] or [""]
    return "".join([first[:1].lower() + first[1:], *(word[:1].upper() + word[1:] for word in others)])


def upper(text: str) -> str:
    """Return a text in capitals, each character staying one."""
    return "".join(large if len(large := char.upper()) == 1 else char for char in text)


def expand(pattern: str, text: str, into: str) -> str:
    """Replace every match; `$1`, `${1}` and `${name}` mean groups, as in Go."""

    def group(match: re.Match[str], name: re.Match[str]) -> str:
        if name[0] == "$$":
            return "$"
        key = name[1] or name[2]
        try:
            return match[int(key) if key.isdigit() else key] or ""
        except IndexError:
            return ""  # as Go

    return _replaced(pattern, text, lambda match: _GROUP.sub(lambda name: group(match, name), into))


def put(pattern: str, text: str, into: str) -> str:
    """Replace every match by a text as it stands."""
    return _replaced(pattern, text, lambda _: into)


def find_all(pattern: str, text: str, most: int) -> list[str]:
    """Return the first matches, all when the number is negative."""
    found = [match[0] for match in _matches(pattern, text)]
    return found if most < 0 else found[:most]


def find(pattern: str, text: str) -> str:
    """Return the first match, or nothing."""
    match = compile_pattern(pattern).search(text)
    return match[0] if match else ""


def regex_split(pattern: str, text: str, most: int) -> list[str]:
    """Return what stands between matches, in so many pieces at most."""
    if most == 0:
        return []
    found: list[str] = []
    at = 0
    for match in _matches(pattern, text):
        if 0 < most <= len(found) + 1:
            break
        if match.end() > match.start() or match.start() not in {0, len(text)}:
            found.append(text[at : match.start()])
            at = match.end()
    return [*found, text[at:]]


def _matches(pattern: str, text: str) -> Iterator[re.Match[str]]:
    """Yield matches as Go finds them: none that is empty right behind another."""
    end = -1
    for match in compile_pattern(pattern).finditer(text):
        if match.end() > match.start() or match.start() != end:
            yield match
        end = match.end()


def _replaced(pattern: str, text: str, by: Callable[[re.Match[str]], str]) -> str:
    out: list[str] = []
    at = 0
    for match in _matches(pattern, text):
        out += [text[at : match.start()], by(match)]
        at = match.end()
    return "".join([*out, text[at:]])


def split(joint: str, text: str) -> list[str]:
    """Return the pieces of a text."""
    return text.split(joint) if joint else list(text)


def numbered(parts: Sequence[str]) -> dict[str, str]:
    """Return pieces by the names _0, _1 and so on."""
    return {f"_{number}": part for number, part in enumerate(parts)}


def whole(value: Value) -> int:
    """Return a value as sprig makes a number of it: 0 when it is none."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[+-]?[0-9]{1,18}", value) else 0
    return int(value) if isinstance(value, int | float) else 0


def atoi(text: str) -> int:
    """Return a text as a number."""
    return whole(text)


def divided(first: Value, second: Value) -> int:
    """Return a quotient without its rest."""
    if not whole(second):
        raise FunctionError("division by zero")
    return int(whole(first) / whole(second))


def rest_of_division(first: Value, second: Value) -> int:
    """Return the rest of a division."""
    return whole(first) - divided(first, second) * whole(second)


def pairs(*values: Value) -> dict[str, Value]:
    """Return a map of names and values in turn."""
    return {
        printed(values[number]): values[number + 1] if number + 1 < len(values) else ""
        for number in range(0, len(values), 2)
    }


def decoded(text: str) -> str:
    """Return the text that base64 stands for."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise FunctionError(f"this is no base64 of a text: {error}") from None


def fail(message: str) -> str:
    """Fail with a message."""
    raise FunctionError(message)


def end_item(items: Sequence[Value], number: int) -> Value:
    """Return an item of a list, or nothing when there is none."""
    return items[number] if items else MISSING


def unique(items: Sequence[Value]) -> list[Value]:
    """Return each item once."""
    found: list[Value] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def joined(joint: str, items: Value) -> str:
    """Return a list as one text; what is no list is written as it is."""
    if isinstance(items, Sequence) and not isinstance(items, str):
        return joint.join(printed(item) for item in items if item is not None and not isinstance(item, Missing))
    return printed(items)
