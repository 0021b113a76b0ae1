"""A rule's tree to the Plan's conditions.

Facts (Traefik v3.7): hosts are compared lower-cased and without trailing dot, `*.example.com` is exactly one
label, a bare `*` everything; methods are upper-cased; field names are compared without case; a query key
without value asks for an empty one. Called by lower_routers.py; the rule has been checked by rules.py.
"""

from __future__ import annotations

from daemun.plan import matching as plan
from daemun.traefik.re2 import canonical_pattern
from daemun.traefik.rules import And, Match, Not, Or, Rule


def lower_rule(rule: Rule) -> plan.Match:
    """Return the condition that holds for the requests the rule means."""
    match rule:
        case And(items):
            return plan.All(tuple(lower_rule(item) for item in items))
        case Or(items):
            return plan.Any(tuple(lower_rule(item) for item in items))
        case Not(item):
            return plan.Not(lower_rule(item))
        case Match(name, arguments):
            return _lower_match(name, arguments)


def re2(regex: str) -> plan.Pattern:
    """Return a pattern as Go reads it, in its canonical spelling. Raises PatternError when it is not RE2."""
    return plan.Pattern(regex=canonical_pattern(regex), dialect=plan.Dialect.RE2, ignore_case=False, slot=None)


def _lower_match(name: str, arguments: tuple[str, ...]) -> plan.Match:
    first, last = arguments[0], arguments[-1]
    match name:
        case "Host":
            return _lower_host(first)
        case "HostRegexp":
            return plan.HostRegex(re2(first))
        case "Path":
            return plan.Path(first)
        case "PathPrefix":
            return plan.PathPrefix(first)
        case "PathRegexp":
            return plan.PathRegex(re2(first))
        case "Method":
            return plan.Method(first.upper())
        case "ClientIP":
            return plan.ClientIp((first,))
    return _lower_pair(name, first, last, single=len(arguments) == 1)


def _lower_pair(name: str, key: str, value: str, *, single: bool) -> plan.Match:
    """Lower the matchers that take a key and a value; a lone query key means an empty value."""
    match name:
        case "Header":
            return plan.Header(name=key.lower(), value=value)
        case "HeaderRegexp":
            return plan.HeaderRegex(name=key.lower(), pattern=re2(value))
        case "QueryRegexp" if not single:
            return plan.QueryRegex(key=key, pattern=re2(value))
        case _:
            return plan.Query(key=key, value="" if single else value)


def _lower_host(host: str) -> plan.Match:
    if host == "*":
        return plan.Always()
    name = host.lower().removesuffix(".")
    return plan.HostOneLabel(name[1:]) if name.startswith("*.") else plan.Host(name)
