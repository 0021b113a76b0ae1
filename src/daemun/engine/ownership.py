"""Lets the engine's account write what root made: logs, and the directory of temporary files.

As nginx's master does for its workers. A file is given away only when nobody can have put another in its place: opened
without following a link, root's, regular, and under one name. Without an account the engine is who we are; in a
container we have the rights over files that it lacks (docs/decisions/container.md).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from daemun.engine_terms import Account

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK


def make_log(path: str, account: Account | None) -> None:
    """Make a log that is not there, and let the engine write to it. Raises OSError when it cannot be written."""
    if os.path.islink(path):  # noqa: PTH114 - the path is a text, as configurations have it
        os.close(os.open(path, _FLAGS, 0o644))
        return
    uid = os.geteuid() if account is None else account.uid
    descriptor = os.open(path, _FLAGS | os.O_NOFOLLOW, 0o644)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_uid == 0 != uid and found.st_nlink == 1:
            # One that everybody may write to needs no giving, and not everybody may give.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, uid, -1)
    finally:
        os.close(descriptor)


def make_logs(paths: Iterable[str], account: Account | None) -> None:
    """Do so with several, and the directories they are in; what cannot be written is the engine's to say."""
    for path in paths:
        with contextlib.suppress(OSError):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            make_log(path, account)


def make_directory(path: str, account: Account | None) -> None:
    """Make a directory that is not there, for the account alone, as nginx does. Raises OSError."""
    try:
        Path(path).mkdir(mode=0o700)
    except FileExistsError:
        return
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
