"""The storage file, acme.json, in Traefik's format.

Facts (Traefik v3, COMPAT.md): one object with a member for each resolver; `Account` with the key as base64 of DER,
`Certificates` with chain and key as base64 of PEM; indented by two spaces; names of members in any case, as Go reads
them. Decisions: what we do not know is kept; a member is changed, never the file rewritten from what we understood; a
damaged file is reported with its place and never written; one broken certificate does not hide the others.

    read(path) ──► Storage ──► account(resolver), certificates(resolver)
    update(path, change)       under the lock: read again, change, write
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemun.acme import durable
from daemun.acme.names import normal
from daemun.certificates.material import Material, parse
from daemun.errors import CertificateError, ConfigError, Place, Problem

Raw = dict[str, Any]


class StorageError(ConfigError):
    """The storage file cannot be used; its one problem says where and what to do."""

    def __init__(self, message: str, *, place: Place, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        problem = Problem(severity="error", kind="file", message=message, place=place, remedy=remedy)
        super().__init__(problems=[problem])


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at an authority. `key` is DER; `uri` is empty until the authority has given one; `body` is its word."""

    email: str
    key: bytes = field(repr=False)
    uri: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A certificate of the file, its names as they were ordered (the main one first)."""

    resolver: str
    names: tuple[str, ...]
    material: Material


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The file's content at one moment."""

    path: Path
    raw: Raw = field(repr=False)

    def account(self, resolver: str) -> Account | None:
        """Return the resolver's account. Raises StorageError when it is there and cannot be read."""
        member = _object(_object(self.raw, resolver, self.path), "Account", self.path)
        if not member:
            return None
        registration = _object(member, "Registration", self.path)
        try:
            key = base64.b64decode(_text(member, "PrivateKey"), validate=True)
        except binascii.Error:
            raise _damaged(self.path, f"{resolver}.Account.PrivateKey is no base64") from None
        if not key:
            return None
        return Account(
            email=_text(member, "Email"),
            key=key,
            uri=_text(registration, "uri"),
            body=_object(registration, "body", self.path),
        )

    def certificates(self, resolver: str) -> tuple[list[Stored], list[Problem]]:
        """Return the resolver's certificates that can be used, and what is wrong with the others."""
        found: list[Stored] = []
        problems: list[Problem] = []
        for index, entry in enumerate(_entries(self.raw, resolver, self.path)):
            try:
                stored = _stored(resolver, entry)
            except (CertificateError, binascii.Error, UnicodeDecodeError, TypeError) as error:
                where = f"{resolver}.Certificates[{index}]"
                problems.append(
                    Problem(
                        severity="warning",
                        kind="certificate",
                        message=f"a stored certificate cannot be used: {error}",
                        place=Place(file=str(self.path)),
                        subject=where,
                        remedy="it is left as it is; when its names are wanted, a new one is ordered",
                    )
                )
            else:
                if stored is not None:
                    found.append(stored)
        return found, problems


def read(path: Path) -> Storage:
    """Read the file; one that is missing is made, private. Raises StorageError."""
    try:
        content = _content(path)
    except OSError as error:
        raise StorageError(
            f"the certificate storage cannot be used: {error.strerror or error}",
            place=Place(file=str(path)),
            remedy="name a file that this process may write, in a directory where it may make files",
        ) from None
    return Storage(path=path, raw=_parse(path, content))


def update(path: Path, change: Callable[[Raw], None]) -> Storage:
    """Change the file as the only writer, from what stands in it now. Raises StorageError."""
    try:
        with durable.locked(path):
            storage = read(path)
            change(storage.raw)
            text = json.dumps(storage.raw, indent=2, ensure_ascii=False)
            durable.write(path, text.encode())
            return storage
    except OSError as error:
        raise StorageError(
            f"the certificate storage cannot be written: {error.strerror or error}",
            place=Place(file=str(path)),
            remedy="make room, or let this process write the file and its directory",
        ) from None


def put_account(raw: Raw, resolver: str, account: Account) -> None:
    """Put the account in, keeping members that we do not know; without an address it is one not yet registered."""
    member = _member(raw, resolver)
    values: Raw = {
        "Email": account.email,
        "Registration": {"body": dict(account.body), "uri": account.uri} if account.uri else None,
        "PrivateKey": base64.b64encode(account.key).decode(),
    }
    before = _lookup(member, "Account")
    same = isinstance(before, dict) and _lookup(before, "PrivateKey") == values["PrivateKey"]
    _assign(member, "Account", {**(before if same else {}), **values})
    if _lookup(member, "Certificates") is None:
        _assign(member, "Certificates", None)


def put_certificate(raw: Raw, resolver: str, new: Stored, *, instead: tuple[str, ...] = ()) -> None:
    """Put a certificate in, in the place of the one with the same names, and of the one named by `instead`."""
    member = _member(raw, resolver)
    if _lookup(member, "Account") is None:
        _assign(member, "Account", None)
    main, *others = new.names
    entry: Raw = {
        "domain": {"main": main, **({"sans": others} if others else {})},
        "certificate": base64.b64encode(new.material.chain.encode()).decode(),
        "key": base64.b64encode(new.material.key.encode()).decode(),
        "Store": "default",
    }
    replaced = {frozenset(new.names), frozenset(instead or new.names)}
    entries = _lookup(member, "Certificates")
    kept: list[Any] = []
    placed = False
    for old in entries if isinstance(entries, list) else []:
        if not isinstance(old, dict) or frozenset(_names(old)) not in replaced:
            kept.append(old)
        elif not placed:
            kept.append({**old, **entry, "Store": _lookup(old, "Store") or "default"})
            placed = True
    _assign(member, "Certificates", kept if placed else [*kept, entry])


def _content(path: Path) -> bytes:
    try:
        mode = durable.open_mode(path)
    except FileNotFoundError:
        path.resolve().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write(path, b"")
        return b""
    if mode:
        raise StorageError(
            f"permissions {mode} for {path.name} are too open: it holds private keys",
            place=Place(file=str(path)),
            remedy=f"chmod 600 {path}",
        )
    return path.read_bytes()


def _parse(path: Path, content: bytes) -> Raw:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise _damaged(path, "it is no UTF-8 text", line=line, column=column) from None
    if not text.strip():
        return {}
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise _damaged(path, error.msg, line=error.lineno, column=error.colno) from None
    if not isinstance(raw, dict):
        raise _damaged(path, "an object with a member for each resolver is meant", line=1, column=1)
    if isinstance(_lookup(raw, "Account"), dict) and _lookup(_lookup(raw, "Account"), "PrivateKey"):
        raise StorageError(
            "this is the storage of Traefik 1, which has no resolvers",
            place=Place(file=str(path)),
            remedy="name another file, or convert this one with Traefik's migration tool",
        )
    for name, member in raw.items():
        if member is not None and not isinstance(member, dict):
            raise _damaged(path, f"{name} is no object with an Account and Certificates")
    return raw


def _damaged(path: Path, what: str, *, line: int = 0, column: int = 0) -> StorageError:
    return StorageError(
        f"the certificate storage is damaged: {what}",
        place=Place(file=str(path), line=line, column=column),
        remedy="it is left as it is: repair it, restore a copy, or move it away to begin anew",
    )


def _stored(resolver: str, entry: Any) -> Stored | None:
    """Return an entry that can be used, None for an empty one (Traefik drops it too)."""
    if not isinstance(entry, dict):
        raise CertificateError("it is no object")
    chain = base64.b64decode(_text(entry, "certificate"), validate=True).decode()
    key = base64.b64decode(_text(entry, "key"), validate=True).decode()
    if not chain or not key:
        return None
    material = parse(chain, key)
    return Stored(resolver=resolver, names=_names(entry) or material.names, material=material)


def _names(entry: Raw) -> tuple[str, ...]:
    domain = _lookup(entry, "domain")
    if not isinstance(domain, dict):
        return ()
    sans = _lookup(domain, "sans")
    given = [_text(domain, "main"), *(sans if isinstance(sans, list) else [])]
    return tuple(dict.fromkeys(normal(name) for name in given if isinstance(name, str) and name))


def _entries(raw: Raw, resolver: str, path: Path) -> list[Any]:
    entries = _lookup(_object(raw, resolver, path), "Certificates")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise _damaged(path, f"{resolver}.Certificates is no list")
    return entries


def _member(raw: Raw, resolver: str) -> Raw:
    member = raw.get(resolver)
    if not isinstance(member, dict):
        member = raw[resolver] = {}
    return member


def _object(raw: Mapping[str, Any], name: str, path: Path) -> Raw:
    value = raw.get(name, _lookup(raw, name))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _damaged(path, f"{name} is no object")
    return value


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = _lookup(raw, name)
    return value if isinstance(value, str) else ""


def _lookup(raw: Mapping[str, Any], name: str) -> Any:
    """Find a member as Go does: the exact name, else one that differs in case."""
    if name in raw:
        return raw[name]
    return next((value for key, value in raw.items() if key.lower() == name.lower()), None)


def _assign(raw: Raw, name: str, value: Any) -> None:
    key = next((known for known in raw if known.lower() == name.lower()), name)
    raw[name if name in raw else key] = value
