"""`set_real_ip_from`, `real_ip_header`, `real_ip_recursive`."""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.scalars import Id


def real_ip(level: Level, making: Making, scene: Scene) -> Id | None:
    """Add the filter that takes the client's address from a field; None when nobody is trusted."""
    raise NotImplementedError
