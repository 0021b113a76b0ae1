"""Becoming a daemon: the process that was started ends when the one that goes on serves, with its exit status.

nginx's starter ends as soon as its sockets are bound, and the pid file comes a moment later: units and scripts that
read it at once find none. Ours waits until it is written.
"""

from __future__ import annotations

import os
import sys

_GOES_WELL = b"1"


class Starter:
    """The process that waits for us; none when we stay in the foreground."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor

    @property
    def waits(self) -> bool:
        """Whether somebody waits."""
        return self._descriptor is not None

    def let_go(self) -> None:
        """We serve: the starter ends with 0. (It ends with 1 when we end before that.)."""
        if self._descriptor is not None:
            os.write(self._descriptor, _GOES_WELL)
            os.close(self._descriptor)
            self._descriptor = None


def detach() -> Starter:
    """Go on as a daemon: in a session of our own, without input or output; standard error stays until it serves."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        os.close(writing)
        went_well = os.read(reading, 1) == _GOES_WELL
        os._exit(0 if went_well else 1)
    os.close(reading)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return Starter(writing)


def hand_stderr_to(descriptor: int | None) -> None:
    """Send standard error to this descriptor, which it outlives; to nowhere when None."""
    sys.stderr.flush()
    if descriptor is not None:
        os.dup2(descriptor, 2)
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
