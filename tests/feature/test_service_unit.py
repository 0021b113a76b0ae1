"""packaging/daemun.service: systemd understands it, and its command serves with just the rights that it leaves."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.daemun import Instance, everything_to
from tests.kit.first_process import FirstProcess
from tests.kit.origin import Origin, answering
from tests.kit.waiting import LIMIT
from tests.kit.wire import Client

UNIT = Path(__file__).parents[2] / "packaging" / "daemun.service"
RIGHT = "net_bind_service"
# Root that is none: no capability comes from the user's number.
WITHOUT_ROOT = (
    *("setpriv", "--securebits", "+noroot,+noroot_locked", "--bounding-set", f"-all,+{RIGHT}"),
    *("--inh-caps", f"-all,+{RIGHT}", "--ambient-caps", f"-all,+{RIGHT}", "--no-new-privs", "--"),
)


def settings() -> dict[str, str]:
    """What the unit says, by name; the last one of a name."""
    return dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))


def test_systemd_understands_it(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing, with the commands in place."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze (Debian: systemd)")
    for name in ("daemun", "daemun-engine"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/daemun/bin", str(tmp_path)))
    done = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_serves_without_root() -> None:
    """With no right but that to low ports, in a fresh account's environment, it serves on one, says READY, and reloads."""
    if os.geteuid() != 0:
        pytest.skip("giving up rights needs them")
    unit = settings()
    assert unit["ExecStart"].endswith("/daemun-engine init -- /opt/daemun/bin/daemun run")
    assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    with (
        Origin(answering(b"one")) as origin,
        Instance() as instance,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
    ):
        instance.write(
            "daemun.toml", '[entryPoints.web]\naddress = "127.0.0.1:99"\n[providers.file]\nfilename = "d.toml"\n'
        )
        instance.write("d.toml", everything_to(f"http://{origin.address}"))
        told.bind(str(instance.path / "notify"))
        told.settimeout(LIMIT)
        run = ("run", "--config", str(instance.path / "daemun.toml"), "--state-dir", str(instance.state))
        with FirstProcess(
            instance,
            prefix=WITHOUT_ROOT,
            command=(sys.executable, "-m", "daemun", *run),
            environ={"NOTIFY_SOCKET": str(instance.path / "notify")},
        ) as init:
            while told.recv(4096) != b"READY=1":
                pass
            rights = Path(f"/proc/{init.engine()}/status").read_text()
            assert set(re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", rights)) == {"0000000000000400"}
            with Client(("127.0.0.1", 99)) as client:
                assert client.request().body == b"one"
            assert unit["ExecReload"] == "/bin/kill -HUP $MAINPID"
            os.kill(init.pid, signal.SIGHUP)
            while told.recv(4096) != b"X_DAEMUN_UNCHANGED=1":
                pass
            assert unit["KillMode"] == "mixed"
            os.kill(init.pid, signal.SIGTERM)
            assert init.wait() == 0
