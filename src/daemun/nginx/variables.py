"""nginx's variables in a text, as a template of the Plan.

`$host`, `${name}`, `$http_x`, `$1`; the configuration's own (`set`, named groups, `map`, `geo`, `split_clients`).
Names have no case. What a name means beyond that stands in `variable_names` and `declared`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from daemun.errors import Place, nearest
from daemun.nginx.directive import Directive
from daemun.nginx.making import Making
from daemun.nginx.patterns import NUMBERED_SLOT
from daemun.nginx.variable_names import KNOWN, NOT_SERVED, NOT_SERVED_PREFIXES, PREFIXES
from daemun.nginx.variable_tables import NAMES as TABLED
from daemun.nginx.variable_tables import tabled
from daemun.plan.template import Capture, Literal, LookupPart, NamedCapture, Part, Template
from daemun.plan.variable import Variable

# A digit, a name in braces that must close, a bare name, or what is none of these.
_PIECE = re.compile(r"\$(?:([1-9])|\{([A-Za-z0-9_]*)(\}?)|([A-Za-z0-9_]+)|)")
_NONE: Mapping[str, Template] = {}
_ROOTED = ("document_root", "realpath_root", "request_filename")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a variable's meaning may depend on; `within` are the lookups whose keys are being read."""

    making: Making
    place: Place | None
    captures: int | None
    root: Template | None
    here: Mapping[str, Template]
    within: tuple[str, ...] = ()

    def parts(self, text: str) -> Iterator[Part]:
        at = 0
        for found in _PIECE.finditer(text):
            if found.start() > at:
                yield Literal(text[at : found.start()])
            at = found.end()
            digit, braced, closed, bare = found.groups()
            if digit:
                yield Capture(slot=self._numbered(), group=int(digit))
            elif braced is not None and not closed:
                self.making.wrong(self.place, f'the closing bracket in "${{{braced}" is missing', kind="syntax")
            elif braced or bare:
                yield from self._variable((braced or bare).lower())
            else:
                self._no_name(text)
        if at < len(text):
            yield Literal(text[at:])

    def _numbered(self) -> int:
        return self.captures if self.captures is not None else self.making.slot(NUMBERED_SLOT)

    def _no_name(self, text: str) -> None:
        self.making.wrong(
            self.place,
            f'"$" without a variable name in "{text}"',
            kind="syntax",
            remedy='for the sign itself write `geo $dollar { default "$"; }` and use $dollar',
        )

    def _variable(self, name: str) -> Iterable[Part]:
        if name in self.here:
            return self.here[name]
        if name in _ROOTED:
            return self._rooted(name)
        if name in KNOWN:
            return KNOWN[name]
        found = self._declared(name)
        found = tabled(name, self.making) if found is None else found
        if found is not None:
            return found
        for prefix, part in PREFIXES.items():
            if name.startswith(prefix):
                return (part(name.removeprefix(prefix)),)
        self._unknown(name)
        return ()

    def _declared(self, name: str) -> Template | None:
        """Return one of the configuration's own variables."""
        making, declared = self.making, self.making.declared
        if name in declared.slots:
            return (Capture(slot=making.slot(name), group=0),)
        if name in declared.lookups:
            return self._looked_up(name)
        for group, slot in declared.groups.items():
            if group.lower() == name:
                return (NamedCapture(slot=making.slot(slot), group=group),)
        return None

    def _rooted(self, name: str) -> Iterable[Part]:
        if self.root is None:
            self.making.wrong(
                self.place,
                f"${name} has no meaning here",
                kind="not_yet",
                remedy="write the path itself; the variable is served in locations with `root`",
            )
            return ()
        return (*self.root, Variable.PATH) if name == "request_filename" else self.root

    def _looked_up(self, name: str) -> Template:
        key = self.making.declared.lookups[name]
        if name in self.within:
            if not any(problem.place == key.place for problem in self.making.problems):
                self.making.wrong(key.place, f'"${name}" is looked up by itself', kind="reference")
            return ()
        reading = _Reading(
            making=self.making,
            place=key.place,
            captures=None,
            root=self.root,
            here=self.here,
            within=(*self.within, name),
        )
        return (LookupPart(table=name, key=joined(reading.parts(key.key))),)

    def _unknown(self, name: str) -> None:
        remedy = NOT_SERVED.get(name, "")
        for prefix, instead in NOT_SERVED_PREFIXES.items():
            if not remedy and name.startswith(prefix):
                remedy = instead
        if remedy:
            self.making.wrong(self.place, f"${name} is not served by this version", kind="not_yet", remedy=remedy)
            return
        near = nearest(name, [*KNOWN, *TABLED, *_ROOTED, *self.making.declared.names()])
        self.making.wrong(self.place, f'unknown "${name}" variable', kind="unknown", near=f"${near}" if near else "")


def template(
    text: str,
    making: Making,
    place: Place | None,
    *,
    captures: int | None = None,
    root: Template | None = None,
    here: Mapping[str, Template] = _NONE,
) -> Template:
    """Return the template of a text; what cannot be read in it becomes a problem at `place`.

    `captures` is the slot `$1` means; None means the last match of a pattern without names. `root` is what
    `$document_root` is there (`files.document_root`), `here` what else means something only there.
    """
    if "$" not in text:
        return (Literal(text),) if text else ()
    reading = _Reading(making=making, place=place, captures=captures, root=root, here=here)
    return joined(reading.parts(text))


def argument(
    one: Directive,
    at: int,
    making: Making,
    *,
    captures: int | None = None,
    root: Template | None = None,
    here: Mapping[str, Template] = _NONE,
) -> Template:
    """Return the template of a directive's argument; its place is looked for only when it may be needed."""
    text = one.args[at]
    if "$" not in text:
        return (Literal(text),) if text else ()
    return template(text, making, one.places[at], captures=captures, root=root, here=here)


def joined(parts: Iterable[Part]) -> Template:
    """Return the parts with neighbouring literals in one."""
    out: list[Part] = []
    for part in parts:
        if isinstance(part, Literal) and out and isinstance(out[-1], Literal):
            out[-1] = Literal(out[-1].text + part.text)
        else:
            out.append(part)
    return tuple(out)
