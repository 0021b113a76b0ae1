"""Why the authority gives no certificate, in plain words: what it said, and what to do.

Facts: errors are problem documents (RFC 7807) whose type is `urn:ietf:params:acme:error:KIND` (RFC 8555 section 6.7,
RFC 9773 section 7.4); Retry-After is seconds or a date (RFC 9110 section 10.2.3). Decisions: kinds of our own beside
those: `unreachable` (no answer, or none in time), `untrusted` (its TLS certificate), `protocol` (an answer that is
none), `timeout` (an order that does not get on), `storage`, `engine` (ours are out of order), `fault` (a mistake of ours).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from daemun.errors import CertificateError, ConfigError, DaemunError

_log = structlog.get_logger()
PREFIX = "urn:ietf:params:acme:error:"

_ADVICE = {
    "dns": "give {name} an A or AAAA record that leads to this machine",
    "connection": "let port {port} of {name} be reached from the internet: firewall, port forwarding, the address in DNS",
    "unauthorized": "{name} seems to lead to another server, or something in front of this one answers: "
    "look at its A and AAAA records and at any CDN or proxy on the way",
    "incorrectResponse": "{name} seems to lead to another server, or something in front of this one answers: "
    "look at its A and AAAA records and at any CDN or proxy on the way",
    "tls": "let TLS connections to {name} reach this process unopened: nothing in front may terminate TLS",
    "caa": "add a CAA record for {name} that names this authority, or remove the CAA records",
    "dnssec": "repair the DNSSEC signatures of {name}",
    "rateLimited": "wait: it is tried again when the authority allows; use its staging server (caServer) while trying out",
    "rejectedIdentifier": "the authority's policy does not allow this name: leave it out, or use another authority",
    "unsupportedIdentifier": "the authority does not sign names of this kind: leave it out, or use another authority",
    "externalAccountRequired": "set eab.kid and eab.hmacEncoded of the resolver to what the authority gave you",
    "userActionRequired": "visit the page that the authority names, then `daemun certs renew NAME`",
    "invalidContact": "set the resolver's email to an address that the authority takes",
    "invalidEmail": "set the resolver's email to an address that the authority takes",
    "unsupportedContact": "set the resolver's email to an address that the authority takes",
    "invalidProfile": "set the resolver's profile to one that the authority offers, or leave it out",
    "badCSR": "set the resolver's keyType to one that the authority takes",
    "badPublicKey": "set the resolver's keyType to one that the authority takes",
    "badSignatureAlgorithm": "the stored account key is of a kind that the authority does not take",
    "unreachable": "look at caServer, at the network and at the name server of this machine; it is tried again",
    "untrusted": "name the root that signed the authority's own certificate in the resolver's caCertificates",
    "storage": "make the storage file and its directory writable for this process",
    "engine": "it is tried again when the engine is back",
    "protocol": "look at caServer: it must be the address of an ACME directory",
    "timeout": "it is tried again",
    "serverInternal": "the authority has a fault of its own; it is tried again",
    "serviceUnavailable": "the authority is being maintained; it is tried again",
}
_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?: ?UTC|Z)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing the authority said about one name (empty when about the whole)."""

    name: str
    kind: str
    detail: str
    # http-01 or tls-alpn-01 when a proof failed, else empty.
    challenge: str = ""


class Refusal(DaemunError):
    """No certificate this time. `retry_at` is when the authority wants to be asked again, at the earliest."""

    def __init__(self, *said: Said, retry_at: datetime | None = None, status: int = 0) -> None:
        self.said = said
        self.kind = said[0].kind
        self.retry_at = retry_at
        self.status = status
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """What the authority said."""
        return "; ".join(_sentence(one) for one in self.said)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return "; ".join(dict.fromkeys(text for one in self.said if (text := _advice(one))))

    @property
    def is_ours_to_wait(self) -> bool:
        """Tell whether nothing of the user's is wrong: the authority, or the way to it, is out of order."""
        return self.kind in {"unreachable", "timeout", "serverInternal", "serviceUnavailable", "badNonce", "engine"}


def refusal(kind: str, detail: str, *, retry_at: datetime | None = None) -> Refusal:
    """Return a Refusal about no name in particular."""
    return Refusal(Said(name="", kind=kind, detail=detail), retry_at=retry_at)


def understood(error: Exception) -> Refusal:
    """Return any error as a Refusal: what an order may meet besides the authority's word."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ConfigError):
        problem = error.problems[0]
        said = f"{problem.place}: {problem.message}" if problem.place else problem.message
        return refusal("storage", f"{said}; {problem.remedy}" if problem.remedy else said)
    if isinstance(error, OSError):
        return refusal("storage", f"the certificate storage cannot be written: {error.strerror or error}")
    if isinstance(error, CertificateError):
        return refusal("storage", str(error))
    if isinstance(error, DaemunError):
        return refusal("engine", f"the engine cannot show the answer to the authority: {error}")
    _log.error("an order failed in a way that is a mistake of ours", exc_info=error)
    return refusal("fault", f"{type(error).__name__}: {error}")


def from_document(document: Mapping[str, Any], *, status: int = 0, retry_at: datetime | None = None) -> Refusal:
    """Return what a problem document says, its subproblems (RFC 8555 section 6.7.1) one by one."""
    said = [_said(part) for part in document.get("subproblems") or () if isinstance(part, Mapping)]
    whole = _said(document)
    if not said or whole.kind in {"rateLimited", "userActionRequired"}:
        said = [whole]
    return Refusal(*said, retry_at=retry_at or _stated(whole.detail), status=status)


def said_of(document: Mapping[str, Any], *, name: str, challenge: str) -> Said:
    """Return what a problem document says about the proof of a name."""
    said = _said(document)
    return Said(name=name, kind=said.kind, detail=said.detail, challenge=challenge)


def retry_at(field: str | None, now: datetime) -> datetime | None:
    """Return the moment that a Retry-After field means; None without one that can be read."""
    if not field:
        return None
    if field.strip().isdigit():
        # A century is as good as never, and the calendar holds it.
        return datetime.fromtimestamp(now.timestamp() + min(int(field), 3_000_000_000), tz=UTC)
    try:
        moment = parsedate_to_datetime(field)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _said(document: Mapping[str, Any]) -> Said:
    identifier = document.get("identifier")
    name = identifier.get("value", "") if isinstance(identifier, Mapping) else ""
    kind = str(document.get("type") or "about:blank").removeprefix(PREFIX)
    detail = document.get("detail") or document.get("title") or kind
    return Said(name=str(name), kind=kind, detail=" ".join(str(detail).split())[:500])


def _stated(detail: str) -> datetime | None:
    """Find the moment that Let's Encrypt writes into the text of a rate limit."""
    found = _AFTER.search(detail)
    return None if found is None else datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")


def _sentence(said: Said) -> str:
    if said.kind in {"unreachable", "untrusted", "protocol", "timeout", "storage", "engine", "fault"}:
        return said.detail
    about = f" about {said.name}" if said.name else ""
    return f"the authority says{about}: {said.detail.rstrip('.')} ({said.kind})"


def _advice(said: Said) -> str:
    port = "443" if said.challenge == "tls-alpn-01" else "80"
    return _ADVICE.get(said.kind, "").format(name=said.name or "the name", port=port)
