"""Slow signatures: how long others wait while certificates with RSA-4096 keys are shown, thread and core shared.

One client sends one request after the other over a TLS connection that stands; 16 others do nothing but full
handshakes. What the one waits for at worst, beside what one signature costs.
"""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import load, machine
from bench.bed import Bed, make_certificate, unverified
from bench.errors import InvalidRun
from bench.outcome import Outcome, Verdict
from bench.peers.running import Certificate, Running

KEY = "rsa:4096"
SHAKING = 16
LEAST = 100
"""Fewer answers would say nothing about the hundredth."""


def run(bed: Bed) -> Outcome:
    """Interleaved rounds; milliseconds that 99 of 100 requests of the quiet client took at most."""
    certificate = make_certificate(bed.folder, key=KEY)
    signature = _signature(certificate) * 1000
    with bed.peers(secure=True, certificate=certificate) as peers:
        rows: dict[str, list[float]] = {name: [] for name in peers}
        worst: dict[str, float] = dict.fromkeys(peers, 0.0)
        for turn in range(bed.options.rounds):
            for name, peer in peers.items():
                taken = _latencies(peer, bed.options.seconds)
                rows[name].append(statistics.quantiles(taken, n=100)[-1] * 1000)
                worst[name] = max(worst[name], *(value * 1000 for value in taken))
                sys.stderr.write(f"  round {turn + 1} {name:<14} {rows[name][-1]:8.2f} ms of {len(taken)} requests\n")
    mine = rows.get("daemun")
    verdicts = (
        [Verdict(label="daemun / one signature", values=[p99 / signature for p99 in mine], bound=1)] if mine else []
    )
    return Outcome(
        scenario="signature",
        title=f"A request beside {SHAKING} clients that do full handshakes with an RSA-4096 key (99th percentile)",
        unit="ms",
        rows=rows,
        verdicts=verdicts,
        notes=[
            f"one signature takes {signature:.2f} ms",
            "the longest: " + ", ".join(f"{name} {value:.1f} ms" for name, value in worst.items()),
        ],
    )


def _latencies(peer: Running, seconds: int) -> list[float]:
    """Seconds each request of the quiet client took, while the others shook hands."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    quiet = HTTPSConnection(*peer.address, timeout=10, context=unverified())
    request = load.Request(path="/128", least_bytes=128, close=True)
    taken: list[float] = []
    try:
        with ThreadPoolExecutor(1) as pool:
            shaking = pool.submit(load.run, peer.address, request, seconds=seconds, connections=SHAKING, secure=True)
            while not shaking.done():
                start = time.perf_counter()
                quiet.request("GET", "/128")
                quiet.getresponse().read()
                taken.append(time.perf_counter() - start)
            shaking.result()
    finally:
        quiet.close()
        os.sched_setaffinity(0, before)
    if len(taken) < LEAST:
        raise InvalidRun(f"{peer.name}: only {len(taken)} requests were answered beside the handshakes")
    return taken


def _signature(certificate: Certificate) -> float:
    """Seconds one signature takes on this machine (RSA-PSS with SHA-256, as TLS 1.3 wants it)."""
    key = serialization.load_pem_private_key(certificate.key.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InvalidRun("the certificate's key is no RSA key")
    way = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        key.sign(b"what is signed", way, hashes.SHA256())
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
