"""`error_page` and `recursive_error_pages`."""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.scalars import Id


def error_pages(level: Level, making: Making, scene: Scene) -> Id | None:
    """Add the error pages of a level; None when it has none."""
    raise NotImplementedError
