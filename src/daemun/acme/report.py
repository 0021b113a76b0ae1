"""What is said of certificates: rows of the status, and lines of the log, each once for as long as nothing changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from daemun.acme.journal import Entries, Failure, Renewal
from daemun.acme.needs import Need
from daemun.acme.resolver import certificate_id
from daemun.acme.status import Row, Trouble
from daemun.acme.store import Stored
from daemun.errors import Problem
from daemun.logs import log_problem

_log = structlog.get_logger()


class Said:
    """Remembers what was said, by subject, so that it is not said again."""

    def __init__(self) -> None:
        self._said: dict[str, object] = {}

    def is_new(self, subject: str, what: object) -> bool:
        """Tell whether this was not what was said last about the subject; from now on it was."""
        before, self._said[subject] = self._said.get(subject), what
        return before != what

    def forget(self, subject: str) -> None:
        """Say it again when it comes again."""
        self._said.pop(subject, None)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Log the problems that were not there before."""
        now = tuple(dict.fromkeys(problems))
        before = self._said.get("problems")
        self._said["problems"] = now
        for problem in now:
            if not isinstance(before, tuple) or problem not in before:
                log_problem(problem)

    def failure(self, subject: str, need: Need, failure: Failure, *, has_certificate: bool) -> None:
        """Log why there is no new certificate, with the place of the wish."""
        if not self.is_new(subject, (failure.kind, failure.message)):
            return
        event = "the certificate cannot be renewed yet" if has_certificate else "no certificate yet"
        _log.error(
            f"{event}: {failure.message}",
            names=", ".join(need.names),
            resolver=need.resolver,
            **place(need),
            **({"remedy": failure.advice} if failure.advice else {}),
            next_try=failure.next.isoformat(timespec="seconds"),
        )


def place(need: Need) -> dict[str, str | int]:
    """Return where the names were asked for, as a log line shows it."""
    origin = need.origin
    shown: dict[str, str | int] = {"router": origin.name} if origin.name else {}
    if origin.file:
        shown |= {"file": origin.file, **({"line": origin.line} if origin.line else {})}
    return shown


def rows(
    needs: Iterable[Need],
    stored: Mapping[str, Stored],
    *,
    now: datetime,
    entries: Mapping[str, Entries],
    failures: Mapping[str, Failure],
    ordering: Collection[str],
    warnings: Mapping[str, tuple[str, ...]],
) -> list[Row]:
    """Return a row for each set of names, the wanted ones first; `entries` by resolver, the rest by certificate id."""
    found: list[Row] = []
    shown: set[tuple[str, tuple[str, ...]]] = set()
    for need in needs:
        current, failure = need.current, failures.get(need.id)
        if current is not None:
            shown.add((current.resolver, current.names))
        origin = need.origin
        row = Row(
            id=need.id,
            names=need.names,
            resolver=need.resolver,
            state="ordering" if need.id in ordering else _state(current, now),
            wanted_by=origin.name,
            wanted_at=f"{origin.file}:{origin.line}" if origin.line else origin.file,
            warnings=warnings.get(need.id, ()) if failure is not None or current is None else (),
            trouble=_trouble(failure),
        )
        row = _with_renewal(row, entries.get(need.resolver, Entries()).renewals.get(need.id), failure)
        found.append(_with_material(row, current))
    for one in stored.values():
        if (one.resolver, one.names) not in shown:
            identity = certificate_id(one.resolver, one.names)
            state = "kept" if one.material.not_after > now else "expired"
            found.append(_with_material(Row(id=identity, names=one.names, resolver=one.resolver, state=state), one))
    return found


def _state(stored: Stored | None, now: datetime) -> str:
    if stored is None:
        return "waiting"
    return "valid" if stored.material.not_after > now else "expired"


def _with_material(row: Row, stored: Stored | None) -> Row:
    if stored is None:
        return row
    material = stored.material
    return replace(row, issuer=material.issuer, not_before=material.not_before, not_after=material.not_after)


def _with_renewal(row: Row, renewal: Renewal | None, failure: Failure | None) -> Row:
    if renewal is None:
        return row
    moment = renewal.moment if failure is None else max(renewal.moment, failure.next)
    by = "lifetime" if renewal.window is None else "ari"
    return replace(row, renewal=moment, renewal_by=by, explanation=renewal.explanation)


def _trouble(failure: Failure | None) -> Trouble | None:
    if failure is None:
        return None
    return Trouble(
        message=failure.message, advice=failure.advice, tries=failure.count, at=failure.at, next=failure.next
    )
