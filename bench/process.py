"""Starts one process on one core, waits until it is ready, reads its CPU time and memory from /proc, ends it.

CPU time is the sum over the process, its descendants and all their threads of the first field of
/proc/PID/task/TID/schedstat (nanoseconds on a core); the second field (nanoseconds ready to run, but
waiting for the core) tells whether somebody else used the core. Where the kernel has no schedstat, CPU time
is utime + stime of /proc/PID/stat (hundredths of a second) and waiting is not known. Only processes started here are ever signalled, by their id.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import NotReady, Unavailable

READY_LIMIT = 30.0
"""Seconds a process may take to start: 10,000 routers are the slowest case."""
STOP_LIMIT = 20.0
"""Seconds between SIGTERM and SIGKILL: longer than Daemun's grace of 10 s."""
POLL = 0.01
"""Seconds between two looks at something that has no event of its own."""


def which(name: str) -> str:
    """The path of a command; /usr/sbin counts, although it is not in everyone's PATH."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise Unavailable(f"{name} is not installed")
    return found


def until(ready: Callable[[], bool], *, what: str, limit: float = READY_LIMIT) -> float:
    """Looks again and again until `ready` holds; returns the seconds it took, raises NotReady at the limit."""
    start = time.perf_counter()
    while not ready():
        if time.perf_counter() - start > limit:
            raise NotReady(f"{what}: not ready after {limit:g} s")
        time.sleep(POLL)
    return time.perf_counter() - start


@dataclass(frozen=True, kw_only=True)
class Cpu:
    """Nanoseconds of a family of processes since their start."""

    used: int
    waited: int

    def __sub__(self, earlier: "Cpu") -> "Cpu":
        return Cpu(used=self.used - earlier.used, waited=self.waited - earlier.waited)


class Process:
    """One started process, pinned to `core`; a context manager that ends it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        core: int | None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        pinned = list(command) if core is None else [which("taskset"), "-c", str(core), *command]
        self._popen = subprocess.Popen(
            pinned,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        self.pid = self._popen.pid  # taskset replaces itself, so this is the pid of the command

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_ready(self, ready: Callable[[], bool], *, limit: float = READY_LIMIT) -> float:
        """Waits until `ready` holds; a process that ends before that is reported with its last words."""

        def alive_and_ready() -> bool:
            if self._popen.poll() is not None:
                raise NotReady(f"{self.name} ended with status {self._popen.returncode}:\n{self.output()}")
            return ready()

        try:
            return until(alive_and_ready, what=self.name, limit=limit)
        except NotReady as error:
            if self.alive():
                raise NotReady(f"{error}\n{self.output()}") from None
            raise

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._popen.poll() is None

    def output(self, limit: int = 2000) -> str:
        """The end of what the process wrote to stdout and stderr."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), limit, max(0, size - limit)).decode(errors="replace")

    def family(self) -> list[int]:
        """The process and its living descendants."""
        return family(self.pid)

    def cpu(self) -> Cpu:
        """CPU time, user and system, of the whole family so far, and what its threads waited for the core."""
        pairs = [_cpu_ns(pid) for pid in self.family()]
        return Cpu(used=sum(used for used, _ in pairs), waited=sum(waited for _, waited in pairs))

    def rss(self) -> int:
        """VmRSS of the whole family in bytes; pages shared between its processes count twice."""
        return sum(rss(pid) for pid in self.family())

    def pss(self) -> int:
        """Proportional set size of the whole family in bytes: shared pages count once."""
        return sum(pss(pid) for pid in self.family())

    def stop(self) -> None:
        """TERM, then KILL after STOP_LIMIT; does nothing to a process that has ended."""
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        self._log.close()


def family(root: int) -> list[int]:
    """`root` and its living descendants, by the parent ids in /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def rss(pid: int) -> int:
    """VmRSS of one process in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def pss(pid: int) -> int:
    """Proportional set size of one process in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu_ns(pid: int) -> tuple[int, int]:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(stat[11]) + int(stat[12])
    by_ticks = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    used, waited = 0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            on_core, ready, _ = (task / "schedstat").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        used += int(on_core)
        waited += int(ready)
    return used or by_ticks, waited
