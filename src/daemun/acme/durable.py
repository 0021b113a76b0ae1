"""Files that a crash does not damage, shared by several processes.

    with locked(path): …          the one writer, across processes (flock on PATH.lock beside it)
    with claimed(path, id) as ok  the one process at work on one thing; the kernel lets go when the process dies
    write(path, bytes)            a new file beside it, fsync, rename, fsync of the directory

A reader sees the old content or the new one, whole. Private means mode 0600: whoever else may read it is said.
Symbolic links are followed, so that the file stays where the user has put it. A file that is itself a mount point (a
single file handed into a container) cannot be replaced: it is written in place, from a complete copy beside it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only process that changes this file; waits for the others. Raises OSError."""
    target = path.resolve()
    lock = target.with_name(f"{target.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def claimed(path: Path, identity: str) -> Iterator[bool]:
    """Be the only process at work on what `identity` names; gives False when another one is. Raises OSError.

    An open file description lock (fcntl(2)) on one byte of the lock file, chosen by hash.
    """
    target = path.resolve()
    byte = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:7])
    descriptor = os.open(target.with_name(f"{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            # struct flock: type, whence, start, length, pid.
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0))
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """Replace the file's content at once, 0600; the owner stays whoever it was. Raises OSError."""
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.new-", dir=target.parent)
    new = Path(name)
    try:
        os.fchmod(descriptor, 0o600)
        # Last: whoever may give a file away may not change its mode any more.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            before = target.stat()
            os.fchown(descriptor, before.st_uid, before.st_gid)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    finally:
        os.close(descriptor)
    try:
        new.replace(target)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        _write_in_place(target, content)
        new.unlink()
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write_in_place(target: Path, content: bytes) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(descriptor)


def open_mode(path: Path) -> str:
    """Return the mode as people write it (`644`) when group or others may do anything with the file, else nothing."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:o}" if mode & 0o077 else ""
