"""Memory of an idle keep-alive connection: thousands of them, after each made one request.

The difference of the proxy's proportional set size (all its processes, shared pages once) over the number
of connections; the kernel's own memory for sockets is the same for every peer and not in it. Afterwards
every connection must answer once more: a peer that closed some did not hold them.
"""

import socket
import time

from bench.bed import Bed, get, unverified
from bench.errors import InvalidRun
from bench.outcome import Outcome, Verdict
from bench.peers.running import Running
from bench.process import until

BOUND = 2000
SECURE_BOUND = 12_000
IP_BIND_ADDRESS_NO_PORT = 24
"""Of linux/in.h; Python's socket module has no name for it."""
PER_SOURCE = 20_000
"""Connections from one loopback address, below the kernel's range of local ports (28,000)."""
SETTLE = 0.5
"""Seconds between two equal readings of memory: allocators give pages back with a delay."""
SETTLE_LIMIT = 15.0
CONTEXT = unverified()
REQUEST = b"GET /128 HTTP/1.1\r\nHost: bench.test\r\n\r\n"
BODY = b"x" * 128


def run(bed: Bed) -> Outcome:
    """Measures every peer once, one after the other."""
    return _run(bed, secure=False)


def run_secure(bed: Bed) -> Outcome:
    """The same over TLS."""
    return _run(bed, secure=True)


def _run(bed: Bed, *, secure: bool) -> Outcome:
    rows: dict[str, list[float]] = {}
    count = bed.options.idle // 4 if secure else bed.options.idle
    with bed.peers(secure=secure) as peers:
        for name, peer in peers.items():
            rows[name] = [_bytes_per_connection(peer, count)]
    mine = rows.get("daemun")
    verdict = Verdict(label="daemun", values=mine, unit="B", bound=SECURE_BOUND if secure else BOUND) if mine else None
    return Outcome(
        scenario="idle_tls" if secure else "idle",
        title=f"{count:,} idle keep-alive connections{', TLS' if secure else ''}",
        unit="bytes/connection",
        rows=rows,
        verdicts=[verdict] if verdict else [],
    )


def _bytes_per_connection(peer: Running, count: int) -> float:
    for _ in range(10):  # what is set up once is no part of a connection
        get(peer.address, "/128", secure=peer.secure)
    before = _settled(peer)
    connections: list[socket.socket] = []
    try:
        for number in range(count):
            connections.append(_connect(peer, number))
            _exchange(peer.name, connections[-1])
        used = _settled(peer) - before
        for connection in connections:
            _exchange(peer.name, connection)
    finally:
        for connection in connections:
            connection.close()
    return used / count


def _connect(peer: Running, number: int) -> socket.socket:
    client = socket.socket()
    client.settimeout(10)
    # The port is chosen when it connects: ports of the peers before, in TIME_WAIT, are no obstacle.
    client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    client.bind((f"127.0.0.{1 + number // PER_SOURCE}", 0))
    client.connect(peer.address)
    return CONTEXT.wrap_socket(client) if peer.secure else client


def _exchange(name: str, connection: socket.socket) -> None:
    try:
        connection.sendall(REQUEST)
        answer = b""
        while not answer.endswith(BODY):
            piece = connection.recv(4096)
            if not piece:
                raise InvalidRun(f"{name} closed an idle connection")
            answer += piece
    except OSError as error:
        raise InvalidRun(f"{name} on an idle connection: {error}") from error
    if not answer.startswith(b"HTTP/1.1 200"):
        raise InvalidRun(f"{name} answered {answer[:40]!r}")


def _settled(peer: Running) -> int:
    """The memory once two readings agree."""
    last = peer.process.pss()
    looked = time.monotonic()

    def same() -> bool:
        nonlocal last, looked
        if time.monotonic() - looked < SETTLE:
            return False
        last, previous, looked = peer.process.pss(), last, time.monotonic()
        return last == previous

    until(same, what=f"memory of {peer.name}", limit=SETTLE_LIMIT)
    return last
