"""Where the supervisor's Wanted comes from in `daemun nginx`: the configuration as it was started, and again with HUP.

    load ─► Loaded ─ set ─► Lowerer ─► Wanted        HUP: all of it again
                     ▲
    auth_basic_user_file ─ changed                   certificates, ACME: the Lowerer's own

nginx.conf is not watched: nginx reads it when it is told to. One that is broken is reported in the error log with its
place, and what was before goes on. Users are looked up anew whenever their file changes, as in nginx.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import structlog

from daemun.engine.state import StateDir
from daemun.errors import EngineError, Problem
from daemun.providers.watch import changes
from daemun.run.borders import EngineBorder, Rejected, Tell, Wanted
from daemun.run.certificates import AcmeSource
from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.loaded import Loaded, load, unwritable
from daemun.run.drop_in.messages import advice, opening, sentence
from daemun.run.drop_in.paths import Paths
from daemun.run.drop_in.pid_file import PidFile
from daemun.run.lowering import Lowerer
from daemun.run.pages import Pages

_log = structlog.get_logger()


class NginxSource:
    """The configuration of one `daemun nginx`."""

    def __init__(
        self,
        flags: Flags,
        paths: Paths,
        loaded: Loaded,
        *,
        tell: Tell,
        engine: EngineBorder,
        pid_file: PidFile,
        state: StateDir,
    ) -> None:
        self._flags = flags
        self._paths = paths
        self._loaded = loaded
        self._tell = tell
        self._engine = engine
        self._pid_file = pid_file
        pages = Pages(state.pages_socket)
        self._lowerer = Lowerer(
            tell=self._say,
            pages=str(pages.socket),
            beside=pages.run,
            sources=lambda changed: [
                AcmeSource(
                    state=state, pages=pages, directory=Path(paths.config_prefix), engine=engine, changed=changed
                )
            ],
            log=_log_problem,
        )
        self._setting = asyncio.Lock()
        self._has_users = asyncio.Event()

    async def run(self) -> None:
        """Tell what was loaded when we started, and follow what it leads to. Raises ConfigError."""
        # What was wrong with it has been said.
        await self._set(self._loaded, said=())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lowerer.run(), name="lowering")
            tasks.create_task(self._follow_users(), name="users")

    async def again(self) -> None:
        """Read everything again, and open the logs again: nginx does both when it is told to reload."""
        _log.info("signal 1 (SIGHUP) received, reconfiguring")
        try:
            loaded = await asyncio.to_thread(load, self._flags, self._paths)
        except Exception:  # noqa: BLE001 - a mistake of ours must not end what runs
            _log.exception("the configuration cannot be loaded: the old one goes on")
            self._tell(Rejected(problems=()))
            return
        if loaded.configuration is None:
            for problem in loaded.problems:  # each time anew: whoever tells us to reload looks for it
                _log_problem(problem)
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
        await self._set(loaded, said=loaded.configuration.draft.problems)

    async def _set(self, loaded: Loaded, *, said: tuple[Problem, ...]) -> None:
        async with self._setting:
            if loaded.configuration is None:
                return
            self._loaded = loaded
            await self._lowerer.set(loaded.configuration, said=said)
            if self._users():
                self._has_users.set()

    def _users(self) -> tuple[Path, ...]:
        configuration = self._loaded.configuration
        return () if configuration is None else configuration.draft.files

    async def _follow_users(self) -> None:
        while True:
            await self._has_users.wait()
            async with aclosing(changes(self._users)) as told:
                await anext(told)  # as it is
                async for _ in told:
                    if self._loaded.again is None:
                        self._has_users.clear()
                        break
                    loaded = await asyncio.to_thread(self._loaded.again)
                    if loaded.configuration is not None:
                        await self._set(loaded, said=loaded.configuration.draft.problems)

    def _say(self, said: Wanted | Rejected) -> None:
        if isinstance(said, Wanted):
            said = replace(said, grace=self._loaded.settings.shutdown)
        self._tell(said)


def _log_problem(problem: Problem) -> None:
    helps = advice(problem)
    text = sentence(problem) + (f" ({helps})" if helps else "")
    if problem.is_error:
        _log.critical(text)
    elif problem.severity == "warning":
        _log.warning(text)
