"""Where the supervisor's Wanted comes from in `daemun nginx`: the configuration as it was started, and again with HUP.

Nothing is watched: nginx reads its files when it is told to. A configuration that is broken is reported in the error
log with its place, and what was before goes on.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from daemun.errors import EngineError, Problem
from daemun.run.borders import EngineBorder, Rejected, Tell, Wanted
from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.loaded import Loaded, load, unwritable
from daemun.run.drop_in.messages import advice, opening, sentence
from daemun.run.drop_in.paths import Paths
from daemun.run.drop_in.pid_file import PidFile

_log = structlog.get_logger()


class NginxSource:
    """The configuration of one `daemun nginx`."""

    def __init__(
        self, flags: Flags, paths: Paths, loaded: Loaded, *, tell: Tell, engine: EngineBorder, pid_file: PidFile
    ) -> None:
        self._flags = flags
        self._paths = paths
        self._loaded = loaded
        self._tell = tell
        self._engine = engine
        self._pid_file = pid_file

    async def run(self) -> None:
        """Tell what was loaded when we started, and wait."""
        self._say(self._loaded)
        await asyncio.Event().wait()

    async def again(self) -> None:
        """Read everything again, and open the logs again: nginx does both when it is told to reload."""
        _log.info("signal 1 (SIGHUP) received, reconfiguring")
        try:
            loaded = await asyncio.to_thread(load, self._flags, self._paths)
        except Exception:  # noqa: BLE001 - a mistake of ours must not end what runs
            _log.exception("the configuration cannot be loaded: the old one goes on")
            self._tell(Rejected(problems=()))
            return
        _log_problems(loaded.problems)
        if loaded.bundle is None:
            self._tell(Rejected(problems=loaded.problems))
            return
        if wrong := unwritable(loaded):
            _log.critical(wrong)
            self._tell(Rejected(problems=loaded.problems))
            return
        try:
            self._pid_file.move(loaded.settings.pid)
        except OSError as error:
            _log.critical(opening(loaded.settings.pid, error))
            self._tell(Rejected(problems=loaded.problems))
            return
        with contextlib.suppress(EngineError):
            await self._engine.call("reopen_logs")
        self._say(loaded)

    def _say(self, loaded: Loaded) -> None:
        self._loaded = loaded
        if loaded.bundle is not None:
            settings = loaded.settings
            self._tell(Wanted(bundle=loaded.bundle, log=settings.log, grace=settings.shutdown, complete=True))


def _log_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        helps = advice(problem)
        text = sentence(problem) + (f" ({helps})" if helps else "")
        if problem.is_error:
            _log.critical(text)
        elif problem.severity == "warning":
            _log.warning(text)
