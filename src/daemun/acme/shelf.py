"""What stands in the storage files now, kept in memory: read again when a file has changed, whoever changed it.

    look(resolvers) ─► stored certificates, journal entries, broken files

A file that cannot be used any more does not take away what was read from it before. Blocking; one caller at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from daemun.acme import store
from daemun.acme.journal import Entries, Entry, Journal
from daemun.acme.resolver import Resolver, certificate_id
from daemun.acme.store import StorageError, Stored
from daemun.errors import Place, Problem

Signature = tuple[int, int, int]


class Shelf:
    """The storages of all resolvers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._signatures: dict[str, tuple[Path, Signature]] = {}
        self.stored: dict[str, tuple[Stored, ...]] = {}
        self.entries: dict[Path, Entries] = {}
        self.broken: dict[Path, Problem] = {}
        self.problems: dict[str, tuple[Problem, ...]] = {}

    def path(self, resolver: Resolver) -> Path:
        """Return the resolver's storage file."""
        return self._directory / resolver.storage

    def journal_of(self, resolver: Resolver) -> Entries:
        """Return the journal's entries, as last read."""
        return self.entries.get(self.path(resolver), Entries())

    def look(self, resolvers: Iterable[Resolver]) -> None:
        """Read what has changed; resolvers that are not named are forgotten."""
        wanted = {resolver.name: resolver for resolver in resolvers}
        for gone in set(self.stored) - set(wanted):
            del self.stored[gone]
            self._signatures.pop(gone, None)
            self.problems.pop(gone, None)
        paths = {self.path(resolver) for resolver in wanted.values()}
        for path in (set(self.broken) | set(self.entries)) - paths:
            self.broken.pop(path, None)
            self.entries.pop(path, None)
        for resolver in wanted.values():
            self._look_at(resolver)
        for path in paths - set(self.broken):
            self.read_journal(path)

    def read_journal(self, path: Path) -> None:
        """Read the journal of a storage file."""
        try:
            self.entries[path] = Journal(path).read()
        except OSError as error:
            self.broken[path] = _problem(path, f"the journal beside the certificate storage cannot be read: {error}")

    def keep(self, path: Path, entries: Mapping[str, Entry]) -> None:
        """Keep entries in the journal of a storage file; one that cannot be written makes the storage broken."""
        try:
            Journal(path).keep(entries)
        except OSError as error:
            self.broken[path] = _problem(path, f"the journal beside the certificate storage cannot be written: {error}")
        else:
            self.read_journal(path)

    def materials(self) -> dict[str, Stored]:
        """Return what is stored, by id; of two with the same names the one that lasts longer."""
        found: dict[str, Stored] = {}
        for stored in (one for those in self.stored.values() for one in those):
            identity = certificate_id(stored.resolver, stored.names)
            other = found.get(identity)
            if other is None or other.material.not_after < stored.material.not_after:
                found[identity] = stored
        return found

    def _look_at(self, resolver: Resolver) -> None:
        path = self.path(resolver)
        known = self._signatures.get(resolver.name)
        if known is not None and path not in self.broken and known == (path, _signature(path)):
            return
        try:
            signature = _signature(path)
            storage = store.read(path)
            stored, problems = storage.certificates(resolver.name)
        except StorageError as error:
            self.broken[path] = error.problems[0]
            self.stored.setdefault(resolver.name, ())
            return
        self.broken.pop(path, None)
        self.stored[resolver.name] = tuple(stored)
        self.problems[resolver.name] = tuple(problems)
        self._signatures[resolver.name] = (path, signature)


def _signature(path: Path) -> Signature:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def _problem(path: Path, message: str) -> Problem:
    return Problem(severity="error", kind="file", message=message, place=Place(file=str(path)))
