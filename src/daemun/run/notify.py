"""Tells whoever started us how far we are: systemd's notification protocol (sd_notify(3)).

`$NOTIFY_SOCKET` names a datagram socket; lines are `NAME=value`. READY=1 once the first Plan is applied, STOPPING=1 at
the end, and of our own X_DAEMUN_APPLIED=<number> after every Plan, X_DAEMUN_CERTIFICATES=<number> when so many certificates were handed over without one, and
X_DAEMUN_REFUSED=1 when a change was not taken.
Nobody needs to listen; nothing here ever fails.
"""

from __future__ import annotations

import contextlib
import os
import socket


def notify(**lines: str | int) -> None:
    """Send these lines as one message."""
    name = os.environ.get("NOTIFY_SOCKET")
    if not name:
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    text = "\n".join(f"{key}={value}" for key, value in lines.items())
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.setblocking(False)
        sending.sendto(text.encode(), address)
