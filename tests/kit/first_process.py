"""Runs Daemun under `daemun-engine init`, in a PID namespace of its own or beside everything else.

Processes of a namespace have numbers of their own; here they are the machine's. Everything ends with the namespace,
and without one with its first process, its control plane and its engine, which are found by their environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType

from tests.kit.daemun import Instance, gone
from tests.kit.engine import ROOT, TEST_RUN, binary
from tests.kit.waiting import LIMIT, until

NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")


class FirstProcess:
    """`daemun-engine init -- COMMAND` in an instance's directory; `daemun run` with its file when no command is named."""

    def __init__(
        self,
        instance: Instance,
        *,
        command: Sequence[str] | None = None,
        namespace: bool = True,
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        run = ("run", "--config", str(instance.path / "daemun.toml"), "--state-dir", str(instance.state))
        self.instance = instance
        self.log_path = instance.path / "init.log"
        self._namespace = namespace
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL"),
                    *(NAMESPACE if namespace else ()),
                    *prefix,
                    *(str(binary()), "init", "--"),
                    *(command or (sys.executable, "-m", "daemun", *run)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=instance.path,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT / "src"),
                    "DAEMUN_ENGINE": str(binary()),
                    "DAEMUN_TEST": TEST_RUN,
                    "DAEMUN_DATA_DIR": str(instance.path / "data"),
                    "NO_COLOR": "1",
                    **environ,
                },
            )

    def __enter__(self) -> FirstProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print(f"log of init:\n{self.log}")
        left = [] if self.process.poll() is not None else [*self.children(), self.pid]
        for pid in left if not self._namespace else left[-1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(LIMIT)
        for pid in left:
            until(lambda pid=pid: gone(pid), what=f"the end of {pid}")  # type: ignore[misc]

    @property
    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        """The first process."""
        if not self._namespace:
            return self.process.pid
        return until(lambda: _children(self.process.pid), what="the first process of the namespace")[0]

    def children(self) -> list[int]:
        """Whose parent is the first process."""
        return _children(self.pid)

    def control_plane(self) -> int:
        """The process that holds the state directory."""
        return until(lambda: self._named("python"), what="the control plane")

    def engine(self) -> int:
        """The engine, wherever it stands."""
        return until(
            lambda: self._named("daemun-engine") or _named(_children(self.control_plane()), "daemun-engine"),
            what="the engine",
        )

    def ready(self) -> FirstProcess:
        """Wait until a Plan runs."""
        until(lambda: self._lives() and (self.instance.state / "plan.json").exists(), what="the first Plan")
        return self

    def wait(self) -> int:
        return self.process.wait(LIMIT)

    def _lives(self) -> bool:
        assert self.process.poll() is None, f"init ended with {self.process.returncode}:\n{self.log}"
        return True

    def _named(self, start: str) -> int:
        return _named(self.children(), start)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _named(pids: Sequence[int], start: str) -> int:
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().startswith(start):
                return pid
    return 0
