"""Ports for programs that cannot be handed a socket, nor asked which port they took.

Below those that the kernel gives to connections by itself: one of these would be taken by anybody who connects meanwhile.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

SPAN = 12_000


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different. Someone else may take one before it is used: rare, and loud."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    candidates = range(max(1024, lowest - SPAN), lowest)
    found: list[int] = []
    for port in random.SystemRandom().sample(candidates, len(candidates)):
        if len(found) == count:
            break
        with socket.socket() as one:
            try:
                one.bind(("0.0.0.0", port))  # on every address: one alone would collide with none of them
            except OSError:
                continue
        found.append(port)
    return found
