"""`proxy_redirect`: how Location and Refresh of a response are turned towards the client.

Facts (nginx): without any, the URL of proxy_pass becomes the location's path; `off` alone changes nothing; a regular
expression replaces the whole; a replacement that begins with `/` is made absolute like any redirect in Location, and
stays as it is in Refresh. There is no default where proxy_pass has variables.
"""

from __future__ import annotations

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.passing import Passed
from daemun.nginx.patterns import pattern
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain
from daemun.nginx.variables import template
from daemun.plan.route import LocationRewrite
from daemun.plan.template import Literal, Template


def location_rewrites(level: Level, making: Making, scene: Scene, passed: Passed) -> tuple[LocationRewrite, ...]:
    """Return the rewrites of a level that passes to this URL, in order."""
    found: list[LocationRewrite] = []
    said = level.all("proxy_redirect")
    if not said and "$" not in passed.url:
        return (_default(scene, passed),)
    for one in said:
        if one.args == ("off",):
            return tuple(found)
        if one.args == ("default",):
            if "$" in passed.url:
                message = '"proxy_redirect default" cannot be used with "proxy_pass" directive with variables'
                complain(making, one, message, argument=0)
            else:
                found.append(_default(scene, passed))
        elif len(one.args) == 2:
            found.append(_pair(one, making, scene))
        else:
            complain(making, one, f'invalid parameter "{one.args[0]}"', argument=0, remedy="off, default, or two words")
    return tuple(found)


def _default(scene: Scene, passed: Passed) -> LocationRewrite:
    if passed.uri is None:
        from_, to = f"{passed.url}/", "/"
    else:
        from_, to = passed.url, scene.path or "/"
    return LocationRewrite(from_=(Literal(from_),), pattern=None, base=_base(scene, to), to=(Literal(to),))


def _pair(one: Directive, making: Making, scene: Scene) -> LocationRewrite:
    search, replacement = one.args
    if not search.startswith("~"):
        return LocationRewrite(
            from_=template(search, making, one.places[0], captures=scene.captures),
            pattern=None,
            base=_base(scene, replacement),
            to=template(replacement, making, one.places[1], captures=scene.captures),
        )
    ignore_case = search.startswith("~*")
    made = pattern(search[2 if ignore_case else 1 :], making, one.places[0], ignore_case=ignore_case)
    to = template(replacement, making, one.places[1], captures=made.slot)
    return LocationRewrite(from_=(), pattern=made, base=_base(scene, replacement), to=to)


def _base(scene: Scene, replacement: str) -> Template:
    return scene.origin if replacement.startswith("/") else ()
