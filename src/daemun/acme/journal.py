"""The journal beside the storage, acme.json.journal: what must survive a crash and has no place in Traefik's format.

    account    the key of an account that is being registered, kept before the authority hears of it
    order      the private key of an order, kept before the order is placed, and the order's address once it has one
    renewal    when a certificate is to be renewed: drawn once (RFC 9773 section 4.2), kept over restarts
    failure    what went wrong last, how often, and when it is tried again: a restart does not hammer the authority

Without it nothing is lost that cannot be had again, so a damaged journal is put aside and begun anew. It is 0600 and
written like the storage, under the same lock.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog

from daemun.acme import durable

_log = structlog.get_logger()
_SECTIONS = ("accounts", "orders", "renewals", "failures")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAccount:
    """The key (DER as base64) of an account that may or may not be registered at this authority yet."""

    ca_server: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingOrder:
    """An order under way; `uri` is empty until it is placed, `replaces` when there is no certificate before it."""

    ca_server: str
    names: tuple[str, ...]
    key: str = field(repr=False)
    replaces: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """When the certificate with this RFC 9773 identifier is renewed, and when the authority is asked about it again.

    `window` is the authority's suggestion when the moment was drawn from one, else empty.
    """

    certificate: str
    moment: datetime
    window: tuple[datetime, datetime] | None = None
    explanation: str = ""
    ask_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong last. `count` tries in a row failed; not before `not_before` wants the authority to be asked."""

    ca_server: str
    count: int
    at: datetime
    next: datetime
    kind: str
    message: str
    advice: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The journal's content, by certificate id (accounts by resolver)."""

    accounts: Mapping[str, PendingAccount] = field(default_factory=dict)
    orders: Mapping[str, PendingOrder] = field(default_factory=dict)
    renewals: Mapping[str, Renewal] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)


T = TypeVar("T")
Entry = PendingAccount | PendingOrder | Renewal | Failure
_KINDS: dict[type[Entry], str] = {
    PendingAccount: "accounts",
    PendingOrder: "orders",
    Renewal: "renewals",
    Failure: "failures",
}


class Journal:
    """The journal of one storage file. Blocking; raises OSError when it cannot be written."""

    def __init__(self, storage: Path) -> None:
        target = storage.resolve()
        self._storage = storage
        self._path = target.with_name(f"{target.name}.journal")

    def read(self) -> Entries:
        """Return the entries as they stand."""
        return _entries(self._read())

    def keep(self, entries: Mapping[str, Entry]) -> None:
        """Keep entries by their id, each in the place of the one of its kind."""

        def change(raw: dict[str, dict[str, Any]]) -> None:
            for identity, entry in entries.items():
                raw[_KINDS[type(entry)]][identity] = _as_json(entry)

        self._change(change)

    def drop(self, identities: Collection[str], *kinds: type[Entry]) -> None:
        """Forget entries."""

        def change(raw: dict[str, dict[str, Any]]) -> None:
            for kind in kinds:
                for identity in identities:
                    raw[_KINDS[kind]].pop(identity, None)

        if identities:
            self._change(change)

    def keep_first(
        self, identity: str, make: Callable[[], PendingAccount], *, unless: Callable[[], T | None]
    ) -> PendingAccount | T:
        """Return what `unless` finds, else the account that is being registered at the authority, else one made here.

        All under the storage's lock: a process that has registered stores the account before it drops its entry, so
        whoever finds neither is the first.
        """
        with durable.locked(self._storage):
            found = unless()
            if found is not None:
                return found
            made = make()
            raw = self._read()
            known = _entries(raw).accounts.get(identity)
            if known is not None and known.ca_server == made.ca_server:
                return known
            raw["accounts"][identity] = _as_json(made)
            self._write(raw)
            return made

    def _change(self, change: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        with durable.locked(self._storage):
            raw = self._read()
            before = json.dumps(raw)
            change(raw)
            if json.dumps(raw) != before:
                self._write(raw)

    def _read(self) -> dict[str, dict[str, Any]]:
        raw: Any = {}
        try:
            raw = json.loads(self._path.read_bytes() or b"{}")
        except FileNotFoundError:
            pass
        except ValueError:
            aside = self._path.with_name(f"{self._path.name}.damaged")
            with contextlib.suppress(OSError):
                self._path.replace(aside)
            _log.warning("the journal of the certificate storage is damaged and begun anew", file=str(self._path))
        given = raw if isinstance(raw, dict) else {}
        return {name: member if isinstance(member := given.get(name), dict) else {} for name in _SECTIONS}

    def _write(self, raw: Mapping[str, Any]) -> None:
        durable.write(self._path, json.dumps(raw, indent=2, ensure_ascii=False).encode())


def _entries(raw: Mapping[str, Mapping[str, Any]]) -> Entries:
    return Entries(
        accounts=_each(raw["accounts"], _account),
        orders=_each(raw["orders"], _order),
        renewals=_each(raw["renewals"], _renewal),
        failures=_each(raw["failures"], _failure),
    )


def _each(raw: Mapping[str, Any], read: Callable[[Any], T]) -> dict[str, T]:
    """Read what can be read; an entry of another version is as good as none."""
    found: dict[str, T] = {}
    for identity, value in raw.items():
        with contextlib.suppress(KeyError, TypeError, ValueError):
            found[identity] = read(value)
    return found


def _account(raw: Any) -> PendingAccount:
    return PendingAccount(ca_server=str(raw["ca_server"]), key=str(raw["key"]))


def _order(raw: Any) -> PendingOrder:
    return PendingOrder(
        ca_server=str(raw["ca_server"]),
        names=tuple(str(name) for name in raw["names"]),
        key=str(raw["key"]),
        replaces=str(raw["replaces"]),
        uri=str(raw["uri"]),
    )


def _renewal(raw: Any) -> Renewal:
    window = raw["window"]
    return Renewal(
        certificate=str(raw["certificate"]),
        moment=datetime.fromisoformat(raw["moment"]),
        window=None if window is None else (datetime.fromisoformat(window[0]), datetime.fromisoformat(window[1])),
        explanation=str(raw["explanation"]),
        ask_at=None if raw["ask_at"] is None else datetime.fromisoformat(raw["ask_at"]),
    )


def _failure(raw: Any) -> Failure:
    return Failure(
        ca_server=str(raw["ca_server"]),
        count=int(raw["count"]),
        at=datetime.fromisoformat(raw["at"]),
        next=datetime.fromisoformat(raw["next"]),
        kind=str(raw["kind"]),
        message=str(raw["message"]),
        advice=str(raw["advice"]),
        not_before=None if raw["not_before"] is None else datetime.fromisoformat(raw["not_before"]),
    )


def _as_json(entry: Entry) -> dict[str, Any]:
    return {name: _plain(getattr(entry, name)) for name in entry.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
