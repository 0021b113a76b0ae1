"""When a certificate is renewed: by the authority's word (ARI, RFC 9773), else by its remaining lifetime.

Facts: RFC 9773 section 4.1 names a certificate by `base64url(authority key identifier).base64url(serial)`; section 4.2
suggests a window from which the client draws one moment, uniformly, once; a moment that has passed means now; section
4.3 says when to ask again. Without ARI Traefik renews at a remaining lifetime that its table gives, found at the next
of its regular looks: here a moment drawn from the same stretch.
Decisions: a window that cannot be (it ends before it begins, or after the certificate) is as good as none; the shorter
of the stated and the real lifetime picks the line of the table, so that short-lived certificates are not ordered daily.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from daemun.acme.journal import Renewal
from daemun.certificates.material import Material

Window = tuple[datetime, datetime]
Draw = Callable[[], float]
"""Gives a number from 0 to 1, evenly."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_TABLE = (
    # lifetime from, renew when so much is left, and within this stretch
    (365 * _DAY, 120 * _DAY, 7 * _DAY),
    (90 * _DAY, 30 * _DAY, _DAY),
    (30 * _DAY, 10 * _DAY, 12 * _HOUR),
    (6 * _DAY, 2 * _DAY, 2 * _HOUR),
    (_DAY, 6 * _HOUR, timedelta(minutes=10)),
    (timedelta(0), timedelta(minutes=20), timedelta(minutes=1)),
)
# A 90-day certificate is a second short of 90 days, as authorities count.
_ROUNDING = timedelta(minutes=1)
_ASK_AGAIN = 6 * _HOUR
_SOONEST, _LATEST = timedelta(minutes=1), _DAY


def identifier(material: Material) -> str:
    """Return the name that RFC 9773 section 4.1 gives a certificate; empty when it has no authority key identifier."""
    leaf = x509.load_pem_x509_certificate(material.chain.encode())
    try:
        stated = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (x509.ExtensionNotFound, ValueError):
        return ""
    if not stated:
        return ""
    serial = leaf.serial_number
    # DER of a positive INTEGER: one more octet when the first bit is set.
    octets = serial.to_bytes(serial.bit_length() // 8 + 1)
    return f"{_base64url(stated)}.{_base64url(octets)}"


def suggested(information: Mapping[str, Any], material: Material) -> tuple[Window, str] | None:
    """Return the window and the page that explains it (or ""); None when there is no usable window."""
    window = information.get("suggestedWindow")
    if not isinstance(window, Mapping):
        return None
    try:
        start, end = _moment(window.get("start")), _moment(window.get("end"))
    except (ValueError, TypeError):
        return None
    if not start < end or start >= material.not_after:
        return None
    page = information.get("explanationURL")
    return (start, min(end, material.not_after)), page if isinstance(page, str) else ""


def by_window(
    certificate: str, window: Window, *, page: str, before: Renewal | None, ask_at: datetime, draw: Draw
) -> Renewal:
    """Return the renewal of a certificate for which the authority suggests this window; drawn anew only if it moved."""
    if before is not None and before.certificate == certificate and before.window == window:
        return Renewal(certificate=certificate, moment=before.moment, window=window, explanation=page, ask_at=ask_at)
    start, end = window
    moment = start + (end - start) * draw()
    return Renewal(certificate=certificate, moment=moment, window=window, explanation=page, ask_at=ask_at)


def by_lifetime(
    certificate: str, material: Material, *, duration: timedelta, ask_at: datetime | None, draw: Draw
) -> Renewal:
    """Return the renewal of a certificate about which the authority says nothing."""
    lifetime = min(duration, material.not_after - material.not_before) + _ROUNDING
    left, stretch = next((left, stretch) for least, left, stretch in _TABLE if lifetime >= least)
    # One that lives shorter than the table's last line is renewed after two thirds of its life.
    left = min(left, (material.not_after - material.not_before) / 3)
    stretch = min(stretch, left / 4)
    moment = material.not_after - left + stretch * draw()
    return Renewal(certificate=certificate, moment=moment, ask_at=ask_at)


def ask_again(stated: datetime | None, now: datetime) -> datetime:
    """Return when to ask for renewal information again, within reason (RFC 9773 section 4.3)."""
    wanted = now + _ASK_AGAIN if stated is None else stated
    return min(max(wanted, now + _SOONEST), now + _LATEST)


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
