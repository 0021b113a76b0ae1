"""A redirection to another scheme or port as a filter of the Plan.

Facts (Traefik v3.7): the request's own scheme is that of X-Forwarded-Proto (from trusted peers; ws and wss
count as http and https), else that of the connection; nothing happens when scheme and port are already right;
80 and 443 are left out. GET gets 301 or 302, any other method 308 or 307. Used by lower_filters.py for the
middleware and by lower_routers.py for an entry point's redirection.
"""

from __future__ import annotations

from daemun.plan import filter as plan
from daemun.plan import route, script
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.template import Header, Literal, Variable

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_FAMILY = {"http": "http|ws", "https": "https|wss"}
_PROTO = (Header("x-forwarded-proto"),)


def redirect_scheme(*, scheme: str, port: str, permanent: bool) -> plan.Redirect:
    """Return the filter that sends what is not at `scheme` and `port` there; an empty port is the scheme's own."""
    shown = "" if not port or _DEFAULT_PORTS.get(scheme) == port else f":{port}"
    location = (
        Literal(f"{scheme}://"),
        Variable.HOST_NAME,
        *((Literal(shown),) if shown else ()),
        Variable.PATH,
        Variable.QUERY_MARK,
        Variable.QUERY,
    )
    return plan.Redirect(
        when=script.Not(script.All((_same_scheme(scheme), _same_port(scheme, shown)))),
        redirect=route.Redirect(
            status_get=301 if permanent else 302,
            status_other=308 if permanent else 307,
            location=location,
        ),
    )


def _same_scheme(scheme: str) -> script.Condition:
    family = _FAMILY.get(scheme)
    if family is None:
        return script.Truthy(())  # no request has such a scheme
    return script.Any(
        (
            script.Matches(value=_PROTO, pattern=_pattern(f"^({family})$")),
            script.All(
                (
                    script.Equals(value=(Variable.SCHEME,), to=(Literal(scheme),)),
                    script.Not(script.Matches(value=_PROTO, pattern=_pattern("^(https?|wss?)$"))),
                )
            ),
        )
    )


def _same_port(scheme: str, shown: str) -> script.Condition:
    """Compare the port in Host; a scheme's own port may be written or not."""
    if shown:
        return script.Equals(value=(Variable.HOST_FIELD,), to=(Variable.HOST_NAME, Literal(shown)))
    own = _DEFAULT_PORTS.get(scheme, "")
    return script.Any(
        (
            script.Equals(value=(Variable.HOST_FIELD,), to=(Variable.HOST_NAME,)),
            script.Equals(value=(Variable.HOST_FIELD,), to=(Variable.HOST_NAME, Literal(f":{own}"))),
        )
    )


def _pattern(regex: str) -> Pattern:
    return Pattern(regex=regex, dialect=Dialect.RE2, ignore_case=True, slot=None)
