"""What `daemun certs` shows: one file in the state directory, written by the running instance whenever it changes.

    certificates.json   {"written", "certificates": [Row as an object …], "problems": [text …]}

Moments are ISO 8601 in UTC, null where there is none. No key stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from daemun.acme import durable

FILE = "certificates.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The last failure: what was said, what to do, how many tries failed in a row, when the next one comes."""

    message: str
    advice: str
    tries: int
    at: datetime
    next: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One set of names. `state`: valid, expired, ordering, waiting (for a certificate), kept (nobody wants it)."""

    id: str
    names: tuple[str, ...]
    resolver: str
    state: str
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    renewal: datetime | None = None
    # `ari` when the authority suggested the moment, else `lifetime`.
    renewal_by: str = ""
    explanation: str = ""
    wanted_by: str = ""
    wanted_at: str = ""
    warnings: tuple[str, ...] = ()
    trouble: Trouble | None = None


def write(path: Path, rows: Sequence[Row], problems: Sequence[str], *, now: datetime) -> None:
    """Write the file, whole or not at all. Raises OSError."""
    content = {
        "written": now.isoformat(),
        "certificates": [_plain(asdict(row)) for row in rows],
        "problems": list(problems),
    }
    durable.write(path, json.dumps(content, indent=2, ensure_ascii=False).encode())


def read(path: Path) -> dict[str, Any] | None:
    """Return the file's content; None when there is none. Raises ValueError when it is no JSON object."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no object")  # noqa: TRY004 - as for text that is no JSON
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    return value
