"""From a configuration that can be used to the end of the process: daemon, lock, supervisor, pid file.

    load ─ detach ─ lock ─ supervisor ─ first Plan applied ─► pid file, starter let go ─ … ─ signal ─► pid file removed

Signals are nginx's. The engine is ours: it ends when we do, except when we are killed: then it goes on, and the next
start with the same pid file takes it over.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import time
from pathlib import Path

from daemun.engine.client import CallRefused
from daemun.engine.locate import find_engine
from daemun.engine.process import EngineProgram
from daemun.engine.state import AlreadyRunning, StateDir
from daemun.errors import ConfigError, DaemunError
from daemun.logs import LOG_FILE, configure
from daemun.run.borders import EngineBorder, Tell
from daemun.run.drop_in import messages
from daemun.run.drop_in.detach import Starter, detach, hand_stderr_to
from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.loaded import Loaded, unwritable
from daemun.run.drop_in.messages import StartLog, opening
from daemun.run.drop_in.paths import Paths
from daemun.run.drop_in.pid_file import PidFile
from daemun.run.drop_in.source import NginxSource
from daemun.run.drop_in.state import state_path
from daemun.run.growing import settle
from daemun.supervisor import Item, Manners, NotYet, Reopen, Reread, Source, StartFailed, Stop, Supervisor

# nginx tries an address that is in use five times, half a second apart: whoever had it is leaving.
_TRIES, _PAUSE = 5, 0.5
_FAST = Stop(grace=0.0)
_SIGNALS: dict[signal.Signals, Item] = {
    signal.SIGTERM: _FAST,
    signal.SIGINT: _FAST,
    signal.SIGQUIT: Stop(insists=False),
    signal.SIGHUP: Reread(),
    signal.SIGUSR1: Reopen(),
    signal.SIGUSR2: NotYet("signal 12 (SIGUSR2) received: a new executable is not taken yet, restart instead"),
    signal.SIGWINCH: NotYet("signal 28 (SIGWINCH) received: workers are not stopped apart from the master yet"),
}
_WORDS = {"address in use": errno.EADDRINUSE, "permission denied": errno.EACCES, "does not have": errno.EADDRNOTAVAIL}


def serve(flags: Flags, paths: Paths, loaded: Loaded, log: StartLog) -> int:
    """Serve until stopped; return the exit status."""
    settings = loaded.settings
    if problem := unwritable(loaded):
        log.say(messages.EMERG, problem)
        return 1
    starter = detach() if settings.daemon else Starter()
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text("nginx")  # what `pgrep nginx` and start-stop-daemon look for
    settle()
    pid_file = PidFile(settings.pid)
    try:
        configure(level=settings.log.level, form=settings.log.format, path=settings.log.file_path)
        state = StateDir(state_path(settings.pid))
        _lock(state)
        with contextlib.closing(_End(state, pid_file)):
            asyncio.run(_supervise(flags, paths, loaded, state, _Ready(pid_file, starter)))
    except StartFailed as failed:
        log.say(messages.EMERG, _refusal(failed.refusal))
        return 1
    except _PidFileFailed as failed:
        log.say(messages.EMERG, opening(settings.pid, failed.error))
        return 1
    except ConfigError as error:
        log.problems(error.problems)
        return 1
    except DaemunError as error:
        log.say(messages.EMERG, str(error))
        return 1
    return 0


class _PidFileFailed(DaemunError):
    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _End:
    def __init__(self, state: StateDir, pid_file: PidFile) -> None:
        self._state = state
        self._pid_file = pid_file

    def close(self) -> None:
        self._pid_file.remove()
        self._state.unlock()


class _Ready:
    """What is done once the first Plan runs."""

    def __init__(self, pid_file: PidFile, starter: Starter) -> None:
        self.pid_file = pid_file
        self._starter = starter

    def __call__(self) -> None:
        try:
            self.pid_file.write()
        except OSError as error:
            raise _PidFileFailed(error) from None
        if self._starter.waits and LOG_FILE.path:
            hand_stderr_to(LOG_FILE.descriptor)
        self._starter.let_go()


async def _supervise(flags: Flags, paths: Paths, loaded: Loaded, state: StateDir, ready: _Ready) -> None:
    settings = loaded.settings
    program = EngineProgram(
        binary=find_engine(),
        threads=None,
        log=None,
        log_file=settings.log.file_path or "-",
    )

    def source(tell: Tell, engine: EngineBorder) -> Source:
        made = NginxSource(flags, paths, loaded, tell=tell, engine=engine, pid_file=ready.pid_file, state=state)
        return Source(run=made.run, again=made.again)

    manners = Manners(
        signals=_SIGNALS,
        ready=ready,
        must_start=True,
        bind_tries=_TRIES,
        bind_pause=_PAUSE,
        tells_events=False,
        states_grace=True,
    )
    await Supervisor(state=state, program=program, source=source, manners=manners).run()


def _lock(state: StateDir) -> None:
    """Wait as long as for an address: the one before us may be leaving."""
    end = time.monotonic() + _TRIES * _PAUSE
    while True:
        try:
            return state.lock()
        except AlreadyRunning:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def _refusal(refusal: CallRefused) -> str:
    """Return why the engine does not take the first Plan, in nginx's words where it has some."""
    if not refusal.where.startswith("listeners."):
        return str(refusal)
    address, _, why = refusal.message.partition(": ")
    number = next((number for words, number in _WORDS.items() if words in why), 0)
    return f"bind() to {address} failed ({number}: {os.strerror(number)})" if number else f"bind() to {refusal.message}"
