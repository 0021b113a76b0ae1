"""A name server of one's own: answers A questions from a dict, with a TTL, and counts who asked.

The engine asks the servers of /etc/resolv.conf; `private` is a command prefix that gives it another such file, in a
mount namespace of its own. Both need root, so a test asks `possible()` first.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
from collections import Counter
from pathlib import Path
from types import TracebackType

from tests.kit.waiting import LIMIT

ADDRESS = "127.53.53.53"


def possible() -> bool:
    """This process may bind port 53 and make a mount namespace."""
    if os.geteuid() != 0:
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ADDRESS, 53))
        return subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
    return False


def private(directory: Path) -> list[str]:
    """A command prefix under which /etc/resolv.conf names our server only."""
    path = directory / "resolv.conf"
    path.write_text(f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
    return ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(path)]


class NameServer:
    """`names` may be changed while it runs: name → (addresses, TTL in seconds)."""

    def __init__(self, names: dict[str, tuple[list[str], int]]) -> None:
        self.names = names
        self.asked: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> NameServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        # While it receives, the kernel keeps the port, which the next test wants.
        self._thread.join(LIMIT)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                question, peer = self._socket.recvfrom(4096)
                if not question:
                    return
                self._socket.sendto(self._answer(question), peer)

    def _answer(self, question: bytes) -> bytes:
        (number,) = struct.unpack("!H", question[:2])
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        kind = struct.unpack("!H", question[at + 1 : at + 3])[0]
        name = ".".join(labels).lower()
        asked = question[12 : at + 5]
        if kind == 1:
            self.asked[name] += 1
        addresses, ttl = self.names.get(name, ([], 0))
        records = [
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, ttl, 4) + socket.inet_aton(a) for a in addresses if kind == 1
        ]
        missing = name not in self.names
        head = struct.pack("!HHHHHH", number, 0x8183 if missing else 0x8180, 1, len(records), 0, 0)
        return head + asked + b"".join(records)
