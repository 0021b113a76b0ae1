"""Texts in nginx's language, lowered: what unit tests of the language ask."""

from __future__ import annotations

from daemun.errors import ConfigError, Problem
from daemun.needs import assume
from daemun.nginx.certificates import Resolver
from daemun.nginx.lower import Draft, lower
from daemun.nginx.read import read_text
from daemun.plan import route
from daemun.plan.plan import Plan

ACME = Resolver(email="admin@example.org")


def draft_of(text: str, *, acme: Resolver | None = None) -> Draft:
    """The draft of a text in `http`, without a log unless it names one."""
    logless = "" if "access_log" in text else "access_log off;"
    return lower(read_text(logless + text), prefix="", acme=acme)


def plan_of(text: str, *, acme: Resolver | None = None) -> Plan:
    """Its Plan with everything at hand."""
    draft = draft_of(text, acme=acme)
    return draft.plan(assume(draft.needs))


def server(block: str, *, before: str = "") -> Plan:
    """The Plan of one server on port 8080."""
    return plan_of(f"{before} server {{ listen 8080; {block} }}")


def proxied(block: str, *, before: str = "") -> route.Proxy:
    """The only proxying action of one server."""
    plan = server(block, before=before)
    [found] = [one.action for one in plan.routes.values() if isinstance(one.action, route.Proxy)]
    return found


def wrong(text: str) -> list[Problem]:
    """The errors of a text in `http`."""
    try:
        draft_of(text)
    except ConfigError as error:
        return [problem for problem in error.problems if problem.is_error]
    return []


def messages(text: str) -> list[str]:
    """What they say."""
    return [problem.message for problem in wrong(text)]
