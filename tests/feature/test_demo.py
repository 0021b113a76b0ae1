"""`daemun demo`: what a first user sees, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.kit.engine import ROOT, TEST_RUN, binary
from tests.kit.waiting import LIMIT, until

MARK = b"DAEMUN_DEMO_TEST=" + TEST_RUN.encode()


def still_running() -> list[str]:
    """Every process that carries our mark."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and MARK in (entry / "environ").read_bytes().split(b"\0"):
                found.append(f"{entry.name} {(entry / 'cmdline').read_bytes()!r}")
        except OSError:
            continue
    return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running demo and all it has printed until it said how to stop it."""
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "DAEMUN_ENGINE": str(binary()),
        "DAEMUN_TEST": TEST_RUN,
        "DAEMUN_DEMO_TEST": TEST_RUN,
        "DAEMUN_DATA_DIR": str(tmp_path / "data"),
        "COLUMNS": "150",
    }
    command = [sys.executable, "-u", "-m", "daemun", "demo"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            shown = ""
            while "Ctrl-C stops" not in shown:
                line = process.stdout.readline()
                assert line, f"the demo ended:\n{shown}"
                shown += line
            yield process, shown
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(LIMIT)


def test_demo(demo: tuple[subprocess.Popen[str], str]) -> None:
    """The seed's handler answers through the gate, instances take turns, one may die, WebSockets work, Ctrl-C ends all."""
    process, shown = demo
    found = re.search(r"http://127\.0\.0\.1:\d+", shown)
    assert found
    url = found[0]
    assert f"GET {url}/client-info → 200" in shown
    assert json.dumps({"ip": "127.0.0.1", "protocol": "http"}) in shown
    instances = set()
    for _ in range(6):
        with urllib.request.urlopen(f"{url}/", timeout=LIMIT) as answer:
            instances.add(json.load(answer)["instance"])
    assert instances == {"1", "2", "3"}
    os.kill(int(re.findall(r"process (\d+) on port", shown)[0]), signal.SIGKILL)
    for _ in range(20):
        with urllib.request.urlopen(f"{url}/", timeout=LIMIT) as answer:
            assert json.load(answer)["instance"] in {"2", "3"}
    secure = re.search(r"curl --cacert (\S+) (https://localhost:\d+/client-info)", shown)
    assert secure
    trusting = ssl.create_default_context(cafile=secure[1])
    with urllib.request.urlopen(secure[2], timeout=LIMIT, context=trusting) as answer:
        assert json.load(answer) == {"ip": "127.0.0.1", "protocol": "https"}
    with connect(f"{url.replace('http', 'ws')}/ws") as socket:
        socket.send("hello")
        assert str(socket.recv(LIMIT)).endswith(": hello")
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 0
    assert not still_running()


def test_demo_killed(demo: tuple[subprocess.Popen[str], str]) -> None:
    """Even kill -9 of the demo leaves nothing running."""
    process, _ = demo
    process.kill()
    process.wait()
    until(lambda: not still_running(), what="the end of everything the demo started")


def test_the_handler_is_the_users() -> None:
    """The demo's /client-info is the seed's text, word for word."""
    seed = (ROOT / "tests/seed/client_info.py").read_text().strip()
    assert seed in (ROOT / "examples/demo/app.py").read_text()
