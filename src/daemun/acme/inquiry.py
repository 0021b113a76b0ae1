"""The question when a certificate is to be renewed, put to the authority (RFC 9773), and what to make of the answer.

What is known stays when there is no answer; an authority without ARI is asked again a day later, for it may learn it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from daemun.acme.journal import Renewal
from daemun.acme.renewal import Draw, ask_again, by_lifetime, by_window, suggested
from daemun.acme.resolver import Resolver
from daemun.certificates.material import Material

Answer = tuple[Mapping[str, Any], datetime | None] | None

_log = structlog.get_logger()
_AFTER_FAILURE = timedelta(hours=1)
_WITHOUT_ARI = timedelta(days=1)


def first(named: str, material: Material, resolver: Resolver, *, now: datetime, draw: Draw) -> Renewal:
    """Return the renewal of a certificate before the authority was asked: by lifetime, and to be asked now."""
    duration = timedelta(hours=resolver.certificates_duration)
    return by_lifetime(named, material, duration=duration, ask_at=now if named else None, draw=draw)


def answered(
    before: Renewal, answer: Answer, material: Material, resolver: Resolver, *, now: datetime, draw: Draw
) -> Renewal:
    """Return the renewal after the authority's answer; None is an authority without ARI."""
    information, stated = answer or ({}, None)
    ask_at = ask_again(stated, now) if answer else now + _WITHOUT_ARI
    found = suggested(information, material)
    if found is None:
        if answer:
            _log.warning("the authority suggests no window in which to renew", names=", ".join(material.names))
        if before.window is None:
            return replace(before, ask_at=ask_at)
        return replace(first(before.certificate, material, resolver, now=now, draw=draw), ask_at=ask_at)
    window, page = found
    renewal = by_window(before.certificate, window, page=page, before=before, ask_at=ask_at, draw=draw)
    if page and before.explanation != page:
        _log.info("the authority explains when to renew", names=", ".join(material.names), page=page)
    return renewal


def unanswered(before: Renewal, *, now: datetime, retry_at: datetime | None) -> Renewal:
    """Return the renewal when the authority could not be asked."""
    return replace(before, ask_at=ask_again(max(now + _AFTER_FAILURE, retry_at or now), now))
