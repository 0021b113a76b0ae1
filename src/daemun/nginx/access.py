"""`allow`, `deny`, `auth_basic`, `auth_request`, `satisfy`."""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.scalars import Id


def access(level: Level, making: Making, scene: Scene) -> Id | None:
    """Add the access phase of a level; None when everyone is admitted."""
    raise NotImplementedError
