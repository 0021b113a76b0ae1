"""nginx's rewrite phase: `set`, `rewrite`, `if`, `return`, `break`."""

from __future__ import annotations

from collections.abc import Callable

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.route import Action
from daemun.plan.scalars import Id

# Makes the route of an `if` in a location: all that the level means, without its own rewrite phase.
MakeRoute = Callable[[Level], Id]


def rewrite_phase(level: Level, making: Making, scene: Scene, make_route: MakeRoute | None) -> Id | None:
    """Add the Script of this very block; None when it has no such directive. `make_route` is None for a server."""
    raise NotImplementedError


def only_answer(level: Level, making: Making, scene: Scene) -> Action | None:
    """Return the answer of a block whose rewrite phase begins with `return`: no script, access or mirror is needed."""
    raise NotImplementedError
