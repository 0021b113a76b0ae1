"""`daemun proxy`: no file at all; and `daemun explain`, which asks the instance that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

from tests.kit.daemun import Instance
from tests.kit.engine import ROOT
from tests.kit.origin import Origin, answering
from tests.kit.waiting import LIMIT


def explain(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daemun", "explain", *arguments, "--state-dir", str(instance.state)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=LIMIT)


def test_two_servers_in_turn() -> None:
    """Requests go to each server in turn."""
    with Instance() as instance, Origin(answering(b"one")) as one, Origin(answering(b"two")) as two:
        plane = instance.start("proxy", "--listen", "127.0.0.1:0", "--to", one.address, "--to", f"http://{two.address}")
        assert Counter(instance.get("/x").body for _ in range(10)) == {b"one": 5, b"two": 5}
        assert plane.stop() == 0


def test_explain() -> None:
    """explain names the router, where it is written and its service; 404 gives the status 1."""
    with Instance() as instance, Origin(answering(b"one")) as one:
        instance.write(
            "daemun.toml", '[entryPoints.web]\naddress = "127.0.0.1:0"\n[providers.file]\nfilename = "dynamic.toml"\n'
        )
        instance.write(
            "dynamic.toml",
            '[http.routers.api]\nrule = "Host(`a.org`) && PathPrefix(`/api`)"\nservice = "s"\n'
            f'[http.services.s.loadBalancer]\nservers = [{{url = "http://{one.address}"}}]\n',
        )
        instance.run()
        shown = explain(instance, "http://a.org/api/x")
        assert shown.returncode == 0, shown.stderr
        assert "api@file" in shown.stdout
        assert "dynamic.toml:1" in shown.stdout
        shown = explain(instance, "http://b.org/api/x")
        assert shown.returncode == 1
        assert "404" in shown.stdout
    assert explain(instance, "http://a.org/").returncode == 1
