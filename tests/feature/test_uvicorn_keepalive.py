"""uvicorn closes idle connections after its keep-alive time: the classic sporadic 502, asked for on purpose.

Requests come in gaps around that time, so that the close and the next request cross. A GET must never fail; a POST
must neither fail nor run twice, for it uses no connection older than `unsafe_idle_ms`.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.apps import ECHO
from tests.kit.engine import Engine
from tests.kit.plans import plan
from tests.kit.uvicorn import Uvicorn


def _cross(*, keep_alive: float, spread: float, each: int, clients: int, unsafe_ms: int) -> None:
    """`each` GETs and POSTs over `clients` connections, in gaps of `keep_alive` ± `spread` seconds."""
    wrong: list[str] = []
    sent = [0]
    lock = threading.Lock()
    with (
        Uvicorn(ECHO, "--timeout-keep-alive", str(int(keep_alive))) as app,
        Engine(plan(app.address, upstream={"pool": {"unsafe_idle_ms": unsafe_ms}})) as engine,
    ):

        def work(number: int) -> None:
            rounds = 2 * each // clients
            with engine.client() as client:
                for turn in range(rounds):
                    method = ("GET", "POST")[(number + turn) % 2]
                    response = client.request(method, f"/count/{method}-{number}-{turn}")
                    with lock:
                        sent[0] += 1
                        if response.status != 200 or response.body != b'{"times":1}':
                            wrong.append(f"{method} {number} {turn}: {response.status} {response.body!r}")
                    # The gap is the test's subject, not a wait for something.
                    time.sleep(keep_alive - spread + 2 * spread * ((number * 7 + turn * 13) % 100) / 100)

        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(work, range(clients)))
        with engine.client() as client:
            counts = client.request("GET", "/counts").body
    assert wrong == []
    assert counts == b'{"requests":%d,"distinct":%d}' % (sent[0], sent[0])


@pytest.mark.slow
def test_keep_alive_of_one_second() -> None:
    """Gaps of 0.9 to 1.1 s at `--timeout-keep-alive 1`: 400 GETs and 400 POSTs, no 502 and none run twice."""
    _cross(keep_alive=1, spread=0.1, each=400, clients=80, unsafe_ms=600)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_keep_alive_of_five_seconds() -> None:
    """Gaps of 4.9 to 5.1 s at uvicorn's own 5 s: 2,000 GETs and 2,000 POSTs, no 502 and none run twice."""
    _cross(keep_alive=5, spread=0.1, each=2_000, clients=100, unsafe_ms=3_000)
