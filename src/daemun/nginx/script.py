"""nginx's rewrite phase: `set`, `rewrite`, `if`, `return`, `break` of one block, in the order they stand in.

Facts (nginx's ngx_http_rewrite_module.c): the phase is not inherited; an `if` that holds runs its steps and, in a
location, puts its own configuration in the location's place, the last one that held; `$1` to `$9` are of the regular
expression that ran last. A rewrite whose replacement begins with `http://`, `https://` or `$scheme` is a redirect.
What the route of an `if` is stands outside (`MakeRoute`); conditions and answers have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from daemun.errors import nearest
from daemun.nginx.answers import URL_BEGINNINGS, absolute, returned
from daemun.nginx.conditions import condition
from daemun.nginx.declared import group_names
from daemun.nginx.directive import Directive
from daemun.nginx.files import document_root
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.pages import answer
from daemun.nginx.patterns import pattern
from daemun.nginx.referers import local_variables
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain
from daemun.nginx.variable_names import KNOWN
from daemun.nginx.variables import argument, template
from daemun.plan import route
from daemun.plan.filter import Script
from daemun.plan.scalars import Id
from daemun.plan.script import (
    Break,
    Close,
    Continue,
    If,
    Last,
    Matches,
    Redirect,
    Return,
    Rewrite,
    RewriteThen,
    Set,
    SetQuery,
    Stay,
    Step,
    Truthy,
)
from daemun.plan.template import NamedCapture
from daemun.plan.variable import Variable

# Makes the route of an `if` in a location: all that the level means, without its own rewrite phase.
MakeRoute = Callable[[Level], Id]

NAMES = ("set", "rewrite", "if", "return", "break")
_THEN: Mapping[str, RewriteThen] = {
    "last": Last(),
    "break": Stay(),
    "redirect": Redirect(answer(302)),
    "permanent": Redirect(answer(301)),
}


def rewrite_phase(level: Level, making: Making, scene: Scene, make_route: MakeRoute | None) -> Id | None:
    """Add the Script of this very block; None when it has no such directive. `make_route` is None for a server."""
    if not level.has(NAMES):
        return None
    phase = _Phase(level, making, scene, make_route)
    steps = (*phase.begin(), *phase.steps(level))
    return making.filter(f"{scene.name} script", Script(steps)) if steps else None


def only_answer(level: Level, making: Making, scene: Scene) -> route.Action | None:
    """Return the answer of a block whose rewrite phase begins with `return`.

    Its route needs no script, and has no access and no mirror: nginx would not come so far.
    """
    first = next((one for one in level.block if one.name in NAMES), None) if level.has(NAMES) else None
    if first is None or first.name != "return":
        return None
    root = document_root(level, making, scene)
    match returned(first, level, making, scene, captures=scene.captures, root=root):
        case Return(respond):
            return respond
        case Close():
            return route.Close()
        case _:
            return None


class _Phase:
    """The steps of a block as they are read; `captures` is what `$1` means at this point."""

    def __init__(self, level: Level, making: Making, scene: Scene, make_route: MakeRoute | None) -> None:
        self.making = making
        self.scene = scene
        self.make_route = make_route
        self.level = level
        self.captures = scene.captures
        used = any(one.name in NAMES for one in level.block)
        self.root = document_root(level, making, scene) if used else None
        self.here = local_variables(level, making) if used else {}

    def begin(self) -> Iterator[Step]:
        """Hand what named groups of the location or server name caught to variables that `set` writes too."""
        head = self.level.directive
        if head is None or not any(one.name in NAMES for one in self.level.block):
            return
        for text in head.args if self.level.kind == "location" else self._names():
            for copy in self._copies(group_names(text)):
                yield If(when=Truthy(copy.value), steps=(copy,), route=None)

    def steps(self, level: Level) -> Iterator[Step]:
        """Return the steps of a block, those of `if` blocks in them."""
        for one in level.block:
            match one.name:
                case "set":
                    yield from self._set(one)
                case "rewrite":
                    yield from self._rewrite(one)
                case "if":
                    yield from self._if(one, level)
                case "return":
                    step = returned(one, level, self.making, self.scene, captures=self.captures, root=self.root)
                    yield from () if step is None else (step,)
                case "break":
                    yield Break()
                case _:
                    pass

    def _set(self, one: Directive) -> Iterator[Step]:
        name = one.args[0].removeprefix("$").lower()
        if not one.args[0].startswith("$") or not name:
            complain(
                self.making, one, f'invalid variable name "{one.args[0]}"', argument=0, suggestion=f"${one.args[0]}"
            )
            return
        value = argument(one, 1, self.making, captures=self.captures, root=self.root, here=self.here)
        if name == "args":
            yield SetQuery(value)
        elif name in KNOWN or name == "limit_rate":
            is_rate = name == "limit_rate"
            complain(
                self.making,
                one,
                f'the variable "${name}" is nginx\'s own and cannot be set',
                argument=0,
                kind="not_yet" if is_rate else "duplicate",
                remedy="leave it out: the rate is not limited" if is_rate else "give it another name",
            )
        else:
            yield Set(slot=self.making.slot(name), value=value)

    def _rewrite(self, one: Directive) -> Iterator[Step]:
        text, replacement = one.args[0], one.args[1]
        if not replacement:
            complain(self.making, one, "empty replacement", argument=1, remedy="write / for the root")
            return
        searched = pattern(text, self.making, one.places[0])
        if searched.slot is not None:
            self.captures = searched.slot
        then: RewriteThen = _THEN["redirect"] if replacement.startswith(URL_BEGINNINGS) else Continue()
        if len(one.args) > 2:
            word = one.args[2]
            if word not in _THEN:
                complain(
                    self.making,
                    one,
                    f'invalid parameter "{word}"',
                    argument=2,
                    remedy="it is last, break, redirect or permanent",
                    suggestion=nearest(word, _THEN),
                )
                return
            # A URL stays a redirect whatever is said.
            if isinstance(then, Continue) or word == "permanent":
                then = _THEN[word]
        target = template(
            replacement.removesuffix("?"), self.making, one.places[1], captures=self.captures, root=self.root
        )
        if isinstance(then, Redirect):
            target = absolute(target, self.scene)
        copies = self._copies(group_names(text))
        if copies:
            yield If(when=Matches(value=(Variable.PATH,), pattern=searched), steps=copies, route=None)
        yield Rewrite(pattern=searched, replacement=target, append_query=not replacement.endswith("?"), then=then)

    def _if(self, one: Directive, level: Level) -> Iterator[Step]:
        tested = condition(one, self.making, captures=self.captures, root=self.root, here=self.here)
        if tested is None:
            return
        if tested.slot is not None:
            self.captures = tested.slot
        inner = Level(kind="if", directive=one, block=one.block or (), parent=level)
        steps = (*self._copies(tested.groups), *self.steps(inner))
        prepared = None if self.make_route is None or _ends(inner) else self.make_route(inner)
        yield If(when=tested.when, steps=steps, route=prepared)

    def _copies(self, groups: tuple[str, ...] | list[str]) -> tuple[Set, ...]:
        """Return what keeps named groups in the slots of variables that `set` writes too."""
        declared = self.making.declared
        return tuple(
            Set(
                slot=self.making.slot(name.lower()),
                value=(NamedCapture(slot=self.making.slot(declared.groups[name]), group=name),),
            )
            for name in groups
            if name.lower() in declared.slots
        )

    def _names(self) -> Iterator[str]:
        return (arg for one in self.level.own("server_name") for arg in one.args if arg.startswith("~"))


def _ends(level: Level) -> bool:
    """Tell whether a block always ends in an answer, so that its route is never asked for."""
    for one in level.block:
        if one.name == "return":
            return True
        if one.name == "break" or (one.name == "rewrite" and "break" in one.args[2:]):
            return False
        if one.name == "if" and any(inner.name == "break" for inner in one.block or ()):
            return False
    return False
