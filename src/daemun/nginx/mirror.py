"""`mirror` and `mirror_request_body`."""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.scalars import Id


def mirrors(level: Level, making: Making, scene: Scene) -> tuple[Id, ...]:
    """Add a filter for each mirror, in order."""
    raise NotImplementedError
