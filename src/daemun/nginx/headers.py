"""`add_header`, `add_trailer`, `expires`."""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.scalars import Id


def response_headers(level: Level, making: Making, scene: Scene) -> tuple[Id, ...]:
    """Add the filters of response fields, in their order."""
    raise NotImplementedError
