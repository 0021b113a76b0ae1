"""The main job: three real FastAPI instances with the user's own handler (tests/seed/client_info.py) behind Daemun."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.kit.engine import Engine
from tests.kit.plans import plan, policy
from tests.kit.uvicorn import Uvicorn

SEED = Path(__file__).parents[1] / "seed" / "client_info.py"
APPLICATION = f"""
import os
from fastapi import FastAPI, Request

app = FastAPI()

{SEED.read_text()}

@app.middleware("http")
async def name(request, call_next):
    response = await call_next(request)
    response.headers["X-Instance"] = os.environ["NAME"]
    return response

@app.post("/sum")
async def total(request: Request):
    return {{"bytes": len(await request.body())}}
"""


@contextlib.contextmanager
def instances(*, unix: bool = False) -> Iterator[list[Uvicorn]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Uvicorn(APPLICATION, unix=unix, env={"NAME": str(n)})) for n in range(3)]


@pytest.mark.parametrize("unix", [False, True])
def test_client_info(*, unix: bool) -> None:
    """`/client-info` shows the client's address and protocol, from each of three instances in turn."""
    with instances(unix=unix) as three, Engine(plan(*(i.address for i in three))) as engine:
        host, port = engine.tcp()
        transport = httpx.HTTPTransport(local_address="127.0.0.5")
        with httpx.Client(base_url=f"http://{host}:{port}", transport=transport) as client:
            answers = [
                client.get("/client-info", headers={"X-Real-IP": "9.9.9.9", "X-Forwarded-Proto": "https"})
                for _ in range(9)
            ]
        assert [a.json() for a in answers] == [{"ip": "127.0.0.5", "protocol": "http"}] * 9
        assert [a.headers["x-instance"] for a in answers] == ["0", "1", "2"] * 3


def test_behind_another_proxy() -> None:
    """A trusted peer's word is passed on: the user's handler shows the address the outer proxy saw."""
    with (
        instances() as three,
        Engine(plan(*(i.address for i in three), http=policy(forwarded={"trusted": ["127.0.0.1"]}))) as engine,
    ):
        host, port = engine.tcp()
        said = httpx.get(
            f"http://{host}:{port}/client-info", headers={"X-Real-IP": "203.0.113.9", "X-Forwarded-Proto": "https"}
        )
        assert said.json() == {"ip": "203.0.113.9", "protocol": "https"}


def test_many_clients_and_uploads() -> None:
    """600 requests of 20 clients, every third an upload: all answered, 200 by each instance."""
    with instances() as three, Engine(plan(*(i.address for i in three))) as engine:
        host, port = engine.tcp()

        def work(number: int) -> list[tuple[int, str]]:
            seen = []
            with httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client:
                for turn in range(30):
                    if turn % 3:
                        answer = client.get("/client-info")
                    else:
                        answer = client.post("/sum", content=b"x" * 1000 * number)
                        assert answer.json() == {"bytes": 1000 * number}
                    seen.append((answer.status_code, answer.headers["x-instance"]))
            return seen

        with ThreadPoolExecutor(20) as pool:
            got = Counter(pair for seen in pool.map(work, range(20)) for pair in seen)
        assert got == {(200, "0"): 200, (200, "1"): 200, (200, "2"): 200}


def test_one_instance_is_killed() -> None:
    """An instance dies by SIGKILL in the middle: no client sees an error, and the two others share the work."""
    with instances() as three, Engine(plan(*(i.address for i in three))) as engine:
        host, port = engine.tcp()
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client:
            for _ in range(6):
                assert client.get("/client-info").status_code == 200
            three[1].process.kill()
            three[1].process.wait()
            answers = [client.get("/client-info") for _ in range(20)]
            assert {a.status_code for a in answers} == {200}
            assert {a.headers["x-instance"] for a in answers} == {"0", "2"}
