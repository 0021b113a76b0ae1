"""`daemun-engine init`: the first process starts, reaps and restarts; what serves is kept, what ended is not hidden."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.daemun import Instance, everything_to, gone
from tests.kit.first_process import FirstProcess
from tests.kit.origin import Origin, answering
from tests.kit.traffic import Traffic
from tests.kit.waiting import until
from tests.kit.wire import Client

STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[providers.file]
filename = "dynamic.toml"
[log]
level = "info"
"""


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Origin(answering(b"one")) as origin, Instance() as made:
        made.write("daemun.toml", STATIC)
        made.write("dynamic.toml", everything_to(f"http://{origin.address}"))
        yield made


@contextlib.contextmanager
def first_process(instance: Instance, *, namespace: bool) -> Iterator[FirstProcess]:
    """Running, with its first Plan."""
    if namespace and os.geteuid() != 0:
        pytest.skip("a PID namespace needs root")
    with FirstProcess(instance, namespace=namespace) as init:
        yield init.ready()


def kill_control_plane(init: FirstProcess, *, adoptions: int = 1) -> None:
    """kill -9, and wait until so many of its successors have adopted the engine."""
    old = init.control_plane()
    os.kill(old, signal.SIGKILL)
    until(lambda: init.log.count("engine adopted") >= adoptions, what="the adoption of the engine")
    assert init.control_plane() != old


@pytest.mark.parametrize("namespace", [True, False], ids=["as PID 1", "beside others"])
def test_the_control_plane_dies(instance: Instance, *, namespace: bool) -> None:
    """kill -9 of the control plane: no request is lost, a new one adopts the engine and may change it; TERM ends all."""
    with first_process(instance, namespace=namespace) as init:
        engine = init.engine()
        with (
            Origin(answering(b"two")) as other,
            Traffic(instance.address()) as traffic,
            Client(instance.address()) as client,
        ):
            assert client.request().body == b"one"
            kill_control_plane(init)
            assert init.engine() == engine
            assert engine in init.children()
            traffic.more()
            instance.write("dynamic.toml", everything_to(f"http://{other.address}"))
            until(lambda: client.request().body == b"two", what="the change")
            traffic.more()
        assert not traffic.failures
        assert '"again_in":0.0,"event":"command_ended","how":"was killed by signal 9"' in init.log
        plane = init.control_plane()
        os.kill(init.pid, signal.SIGTERM)
        assert init.wait() == 0
        assert gone(engine)
        assert gone(plane)
    assert sorted(entry.name for entry in instance.state.iterdir()) == ["lock", "plan.json", "plan.previous.json"]


def test_who_dies_young_waits(instance: Instance) -> None:
    """A control plane that dies again and again is started ever later; HUP does not wait, and traffic goes on."""
    with first_process(instance, namespace=True) as init:
        for adoptions in range(1, 4):
            kill_control_plane(init, adoptions=adoptions)
            with Client(instance.address()) as client:
                assert client.request().body == b"one"
        assert re.findall(r'"again_in":([\d.]+)', init.log) == ["0.0", "0.25", "0.5"]
        for _ in range(4):
            os.kill(init.control_plane(), signal.SIGKILL)
            os.kill(init.pid, signal.SIGHUP)
        until(lambda: init.log.count("engine adopted") >= 4, what="the adoption after HUP")


def test_stop_while_no_control_plane_runs(instance: Instance) -> None:
    """TERM ends the engine also when its control plane is dead and the next one not yet there."""
    with first_process(instance, namespace=True) as init:
        engine = init.engine()
        broken = instance.write("daemun.toml", "[entryPoints\n")
        for ends in range(1, 4):
            if ends == 1:
                os.kill(init.control_plane(), signal.SIGKILL)
            until(lambda ends=ends: init.log.count("command_ended") >= ends, what="its end")  # type: ignore[misc]
        assert f"{broken}:1:" in init.log
        assert '"how":"exited with 1"' in init.log
        assert not gone(engine)
        with Client(instance.address()) as client:
            assert client.request().body == b"one"
        os.kill(init.pid, signal.SIGTERM)
        init.wait()
        assert gone(engine)


@pytest.mark.parametrize("namespace", [True, False], ids=["as PID 1", "beside others"])
def test_a_start_that_fails_shows_why(instance: Instance, *, namespace: bool) -> None:
    """With a configuration that cannot be used, everything ends at once with its status, and the error is seen."""
    if namespace and os.geteuid() != 0:
        pytest.skip("a PID namespace needs root")
    instance.write("daemun.toml", "[entryPoints\n")
    with FirstProcess(instance, namespace=namespace) as init:
        assert init.wait() == 1
        assert "daemun.toml:1:" in init.log
        assert "command_ended" not in init.log


def test_signals_are_passed_on(instance: Instance) -> None:
    """USR1 reaches the control plane; USR2 makes room for another one, which adopts the engine."""
    with first_process(instance, namespace=True) as init:
        engine, plane = init.engine(), init.control_plane()
        os.kill(init.pid, signal.SIGUSR1)
        until(lambda: "log files opened again" in init.log, what="USR1")
        os.kill(init.pid, signal.SIGUSR2)
        until(lambda: "engine adopted" in init.log, what="the next control plane")
        assert (init.control_plane() != plane, init.engine()) == (True, engine)
        os.kill(init.pid, signal.SIGINT)
        assert init.wait() == 0


def test_orphans_are_reaped(instance: Instance) -> None:
    """Who lost his parent is no zombie after his end."""
    # A child that leaves a child of its own behind, which ends when its standard input does.
    made = "r,w=os.pipe()\nfor _ in range(20):\n if not os.fork():\n  if not os.fork(): os.close(w); os.read(r,1)\n  os._exit(0)\n"
    script = (
        f"import os, signal\n{made}print('made', flush=True)\nsignal.sigwait([])if 0 else os.close(w)\nsignal.pause()"
    )
    with FirstProcess(instance, command=(sys.executable, "-c", script)) as init:
        until(lambda: "made" in init.log, what="the orphans")
        until(lambda: len(init.children()) == 1, what="the end of the orphans")
        # The command's own are its own affair; ours is only the command.
        assert Path(f"/proc/{init.children()[0]}/comm").read_text().startswith("python")
        os.kill(init.pid, signal.SIGTERM)
        assert init.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("command", "status"),
    [(("true",), 0), (("sh", "-c", "exit 3"), 3), (("no-such-program",), 127), (("/etc/passwd",), 126)],
)
def test_the_status_of_a_command(instance: Instance, command: tuple[str, ...], status: int) -> None:
    """A command that ends by itself and leaves nobody is the end, with its status."""
    with FirstProcess(instance, command=command, namespace=False) as init:
        assert init.wait() == status


def test_it_is_small(instance: Instance) -> None:
    """It has one thread, and of its own little more than 1 MB, most of it the program's tables."""
    with first_process(instance, namespace=True) as init:
        status = Path(f"/proc/{init.pid}/status").read_text()
        assert re.findall(r"Threads:\s+(\d+)", status) == ["1"]
        anonymous, resident = (int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) for name in ("RssAnon", "VmRSS"))
        assert anonymous < 2 * 1024
        assert resident < 8 * 1024
