"""What a `proxy_pass` with variables may come to: an upstream, a URL with a URI of its own, another scheme.

    proxy_pass http://$name;   $name is `app`           ► the upstream app, the target as it came
                               $name is `app/base`      ► the upstream app, /base
                               $name is `10.0.0.1/base` ► 10.0.0.1, /base
    proxy_pass $url;           the same, behind http:// or https://

Each is a route of its own, chosen by a condition on the rendered text (`routes`). Where no variable can hold a URI, as
with most maps of names, there is one alternative for each upstream and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from daemun.nginx.making import Making
from daemun.nginx.passing import Passed
from daemun.nginx.scene import Scene
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.script import Condition, Equals, Matches
from daemun.plan.template import Capture, Literal, Template

# Groups: 1 the host, 2 what follows the first slash, 3 a query without a path.
_HOST = "([^/?#]+)"
_URI = "(?:/(.*)|([?#].*))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """When it is asked, and what it is then, unless one of those within is; of several that hold the last counts.

    `word` tells it from the others.
    """

    when: Condition
    passed: Passed
    word: str
    within: tuple[Alternative, ...] = ()


def alternatives(passed: Passed, making: Making, scene: Scene, upstreams: Collection[str]) -> tuple[Alternative, ...]:
    """Return what a URL may come to beside what it says itself; `upstreams` are the names of `upstream` blocks."""
    if "$" not in passed.host:
        return ()
    found: tuple[Alternative, ...] = ()
    if not passed.any_scheme and not passed.port:
        found = _named(passed, passed.template(passed.host, making, scene), upstreams)
    if passed.any_scheme or making.declared.may_hold_uri(passed.host):
        found += tuple(_by_pattern(passed, making, scene, upstreams))
    return found


def _named(passed: Passed, host: Template, upstreams: Collection[str], word: str = "") -> tuple[Alternative, ...]:
    return tuple(
        Alternative(when=Equals(value=host, to=(Literal(name),)), passed=_led(passed, name), word=f"{word}{name}")
        for name in upstreams
    )


def _by_pattern(passed: Passed, making: Making, scene: Scene, upstreams: Collection[str]) -> Iterator[Alternative]:
    whole = passed.template(passed.host + (passed.uri or ""), making, scene)
    for scheme in ("http://", "https://") if passed.any_scheme else ("",):
        for with_uri in (False, True):
            # A URL that says its scheme and has no URI is what it says itself.
            if not with_uri and not scheme:
                continue
            word = f"{scheme}*{'/*' if with_uri else ''}"
            # A name that no variable has; each alternative has groups of its own.
            slot = making.slot(f"?{passed.url} {word}")
            groups = {f"pass{slot}_{group}": (Capture(slot=slot, group=group),) for group in (1, 2, 3)}
            host, path, query = (f"${{{name}}}" for name in groups)
            led = replace(
                _led(passed, host),
                here=groups,
                any_scheme=False,
                secure=scheme == "https://" if scheme else passed.secure,
                uri=f"/{path}{query}" if with_uri else None,
            )
            regex = f"(?s)^{scheme}{_HOST}{_URI if with_uri else ''}$"
            pattern = Pattern(regex=regex, dialect=Dialect.RE2, ignore_case=True, slot=slot)
            within = _named(led, led.template(host, making, scene), upstreams, word=f"{word} ")
            yield Alternative(when=Matches(value=whole, pattern=pattern), passed=led, word=word, within=within)


def _led(passed: Passed, host: str) -> Passed:
    return replace(passed, host=host, port="", address=f"{host}:80")
