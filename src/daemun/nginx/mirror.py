"""`mirror` and `mirror_request_body`.

Facts (nginx's ngx_http_mirror_module.c): each `mirror` of a level gets a copy; `off` ends what is inherited.
"""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain, flag
from daemun.plan.filter import Mirror
from daemun.plan.route import Uri
from daemun.plan.scalars import Id
from daemun.plan.template import Literal


def mirrors(level: Level, making: Making, scene: Scene) -> tuple[Id, ...]:
    """Add a filter for each mirror, in order."""
    found = level.all("mirror")
    body = flag(level, "mirror_request_body", making, default=True)
    if any(one.args[0] == "off" for one in found):
        for one in found:
            if one.args[0] != "off":
                complain(making, one, "`mirror off` stands beside it", argument=0, kind="duplicate")
        return ()
    ids: list[Id] = []
    for one in found:
        if "$" in one.args[0]:
            remedy = "write a path; the location it leads to may use variables"
            complain(making, one, "mirror takes no variables", argument=0, remedy=remedy)
        to = Uri(table=scene.table, uri=(Literal(one.args[0]),))
        ids.append(making.filter(f"{scene.name} mirror", Mirror(to=to, body=body)))
    return tuple(ids)
