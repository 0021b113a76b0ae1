"""The containers as they were last known, in a file of the state directory: for a start while their engine is away.

Facts: a control plane may be restarted while a Docker engine is down or cannot be reached; its containers go on, and the
engine of ours serves them still. Decision: what was written before this machine was last started is not used: addresses
are given to others then. The file is 0600: labels may hold hashes of passwords.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from daemun.whole_file import replace_file

_log = structlog.get_logger()
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Store:
    """One engine's file; without a directory nothing is kept."""

    def __init__(self, directory: Path | None, *, provider: str, endpoint: str) -> None:
        self._path = None if directory is None else directory / f"containers.{quote(provider, safe='')}.json"
        self._endpoint = endpoint
        self._kept = b""

    def keep(self, inspects: Sequence[Mapping[str, Any]]) -> None:
        """Write down what was inspected, if it changed. Never raises: it is only for later."""
        text = json.dumps({"boot": _boot(), "endpoint": self._endpoint, "containers": list(inspects)}).encode()
        if self._path is None or text == self._kept:
            return
        try:
            replace_file(self._path, text)
        except OSError as error:
            _log.warning("the containers cannot be kept", file=str(self._path), reason=error.strerror)
        self._kept = text

    def load(self) -> list[Mapping[str, Any]] | None:
        """Return what was kept of this engine since the machine was started, if anything."""
        if self._path is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(self._path.read_bytes())
            if isinstance(told, dict) and (told.get("boot"), told.get("endpoint")) == (_boot(), self._endpoint):
                kept = told.get("containers")
                return [one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else None
        return None


def _boot() -> str:
    with contextlib.suppress(OSError):
        return _BOOT.read_text().strip()
    return ""
