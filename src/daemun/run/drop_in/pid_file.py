"""The pid file: written when all listeners are bound, read by `-s`, removed at the end."""

from __future__ import annotations

import contextlib
import os

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_MODE = 0o644


class PidFile:
    """The pid file of this process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._written = False

    def check(self) -> None:
        """Find out whether it can be written, as `nginx -t` does: it is made when it is not there. Raises OSError."""
        os.close(os.open(self.path, _FLAGS, _MODE))

    def write(self) -> None:
        """Write our pid. Raises OSError."""
        descriptor = os.open(self.path, _FLAGS | os.O_TRUNC, _MODE)
        try:
            os.write(descriptor, f"{os.getpid()}\n".encode())
        finally:
            os.close(descriptor)
        self._written = True

    def move(self, path: str) -> None:
        """Be at another path from now on. Raises OSError, and stays."""
        if path == self.path:
            return
        new = PidFile(path)
        new.write()
        self.remove()
        self.path, self._written = path, True

    def remove(self) -> None:
        """Remove it when it is ours: another process may have written its own since."""
        if not self._written:
            return
        self._written = False
        with contextlib.suppress(OSError, ValueError):
            if read_pid(self.path) == os.getpid():
                os.unlink(self.path)  # noqa: PTH108 - the path is a text, as nginx has it


def read_pid(path: str) -> int:
    """Return the pid that stands in a file. Raises OSError, or ValueError with what stands there instead."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(descriptor, 64).decode("latin-1").rstrip("\r\n")
    finally:
        os.close(descriptor)
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ValueError(text)
    return int(text)
