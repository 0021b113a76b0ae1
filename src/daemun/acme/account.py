"""The account of a resolver at its authority: the stored one, or one that is registered now.

Facts (RFC 8555 section 7.3): registering a key that has an account returns that account, so a registration that was cut
short is made again without harm. Decisions, as Traefik: an account whose address is of another host than caServer
belongs to another authority and is replaced. The new key stands in the journal before the authority hears of it, and
the old account in the storage until the new one is there: neither is lost by a crash or by a mistyped caServer.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from josepy.jwk import JWK

from daemun.acme import store
from daemun.acme.authority import Authority
from daemun.acme.journal import Journal, PendingAccount
from daemun.acme.keys import AccountKey, make_account_key, read_account_key, signing
from daemun.acme.network import Network
from daemun.acme.resolver import Resolver
from daemun.acme.store import Account

_log = structlog.get_logger()


class Session:
    """An authority as one account sees it. Blocking; made by `open_session`."""

    def __init__(self, *, authority: Authority, key: AccountKey, uri: str) -> None:
        self.authority = authority
        self.uri = uri
        self.thumb: JWK = signing(key)[0]


def open_session(resolver: Resolver, *, directory: Path, now: Callable[[], datetime], fresh: bool = False) -> Session:
    """Return the session with the resolver's account, registering it if need be.

    With `fresh` the stored address is not believed: the authority did not know it. Raises Refusal, StorageError,
    CertificateError for a stored key that cannot be read, OSError for the journal.
    """
    storage = directory / resolver.storage
    journal = Journal(storage)
    found = journal.keep_first(
        resolver.name, lambda: _new_key(resolver.ca_server), unless=lambda: _stored(resolver, storage)
    )
    stored = found if isinstance(found, Account) else Account(email=resolver.email, key=base64.b64decode(found.key))
    key = read_account_key(stored.key)
    known = "" if fresh else stored.uri
    network = Network(resolver, key, directory=directory, now=now, uri=known)
    authority = Authority(network, ca_server=resolver.ca_server, now=now)
    if known:
        journal.drop([resolver.name], PendingAccount)  # left over by a crash just after the account was stored
        return Session(authority=authority, key=key, uri=known)
    eab = None if resolver.eab is None else (resolver.eab.kid, resolver.eab.hmac)
    uri, body = authority.register(email=resolver.email, eab=eab)
    account = Account(email=resolver.email, key=stored.key, uri=uri, body=body)
    store.update(storage, lambda raw: store.put_account(raw, resolver.name, account))
    journal.drop([resolver.name], PendingAccount)
    _log.info("account registered", resolver=resolver.name, account=uri)
    return Session(authority=authority, key=key, uri=uri)


def _stored(resolver: Resolver, storage: Path) -> Account | None:
    """Return the account that stands in the storage, unless it is another authority's."""
    stored = store.read(storage).account(resolver.name)
    if stored is not None and stored.uri and not is_of(stored, resolver.ca_server):
        _log.warning(
            "the stored account belongs to another authority: a new one is made",
            resolver=resolver.name,
            account=stored.uri,
            ca_server=resolver.ca_server,
        )
        return None
    return stored


def is_of(account: Account, ca_server: str) -> bool:
    """Tell whether the account was made by this authority."""
    return urlsplit(account.uri).hostname == urlsplit(ca_server).hostname


def _new_key(ca_server: str) -> PendingAccount:
    return PendingAccount(ca_server=ca_server, key=base64.b64encode(make_account_key()).decode())
