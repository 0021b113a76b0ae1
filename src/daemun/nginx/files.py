"""`root`, `alias`, `index`, `try_files`, `autoindex`, `types` as the Plan's Files and TryFiles."""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.route import Files, TryFiles
from daemun.plan.scalars import Id
from daemun.plan.template import Template


def files(level: Level, making: Making, scene: Scene) -> Files:
    """Return what serves static files on this level: what a location without a handler of its own does."""
    raise NotImplementedError


def try_files(level: Level, making: Making, scene: Scene, content: Id | None) -> TryFiles | None:
    """Return the level's `try_files`; None when this very block (nor, in a location, its server) has none.

    `content` is the prepared route a found file goes through when the location has a handler (proxy_pass); None serves it.
    """
    raise NotImplementedError


def document_root(level: Level, making: Making, scene: Scene) -> Template | None:
    """Return what `$document_root` is there; None with `alias` of a location."""
    raise NotImplementedError
