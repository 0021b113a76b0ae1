"""One loop: what is wanted ──► Plan ──► engine; and what happens to the engine and to us.

    source ── Wanted | Rejected ─┐
    engine ── Lost, events ──────┼──► one queue ──► one thing at a time
    signals ─ Stop, Leave, … ────┘

A Plan that equals the last one is not applied; certificates that changed are handed over all the same, and of a Plan
that differs in endpoints only these are set. A refused one
changes nothing. A dead engine is started again with the last Plan. Stop ends the engine and us; Leave ends only us, and
the next control plane adopts the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from daemun.engine.bundle import Bundle
from daemun.engine.client import Applied, CallRefused, ConnectionLost
from daemun.engine.frames import Event
from daemun.engine.keeper import Keeper
from daemun.engine.ownership import make_logs
from daemun.engine.process import EngineProgram
from daemun.engine.state import StateDir
from daemun.engine_terms import EngineTerms
from daemun.errors import EngineError
from daemun.logs import LOG_FILE, configure, engine_level
from daemun.run.borders import EngineBorder, Rejected, Tell, Wanted
from daemun.run.notify import notify

_log = structlog.get_logger()

# Added to the listeners' own grace times before the engine is ended by force, seconds.
_STOP_MARGIN = 5.0
# A Plan that the engine died of so many times is not tried again.
_DEADLY = 2
_EVENT_LEVELS = {"endpoint_down": "warning", "endpoint_up": "info", "log_dropped": "warning", "panic": "error"}


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection to the engine ended."""


@dataclass(frozen=True, slots=True)
class Revive:
    """It is time to start the engine again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the engine and us. `grace`: what runs may take so many seconds; the listeners' own grace times when None.

    One that `insists` ends a stop that is under way at once.
    """

    grace: float | None = None
    insists: bool = True


@dataclass(frozen=True, slots=True)
class Leave:
    """End us, leave the engine to the next control plane."""


@dataclass(frozen=True, slots=True)
class Reread:
    """Read the configuration again."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open log files again."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """A signal that means something this version does not do."""

    what: str


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """The source gave up: the static file cannot be used."""

    error: BaseException


Item = Wanted | Rejected | Lost | Revive | Stop | Leave | Reread | Reopen | NotYet | SourceEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How an instance behaves towards whoever started it.

    `ready` is called once the first Plan runs. With `must_start` a first Plan that is refused ends everything, after
    an address that is in use was tried so many times, `bind_pause` seconds apart. `tells_events`: what the engine tells
    is logged here too. `states_grace`: a stop takes as long as Wanted says, whatever the listeners' own grace times are.
    """

    signals: Mapping[signal.Signals, Item]
    ready: Callable[[], None] = lambda: None
    must_start: bool = False
    bind_tries: int = 1
    bind_pause: float = 0.5
    tells_events: bool = True
    states_grace: bool = False


OURS = Manners(
    signals={
        signal.SIGTERM: Stop(),
        signal.SIGINT: Stop(),
        signal.SIGUSR2: Leave(),
        signal.SIGHUP: Reread(),
        signal.SIGUSR1: Reopen(),
    }
)


class StartFailed(EngineError):
    """The first Plan cannot run and nothing else runs either; `refusal` is what the engine says."""

    def __init__(self, refusal: CallRefused) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where Wanted comes from: `run` until cancelled, `again` reads all of it once more."""

    run: Callable[[], Coroutine[Any, Any, None]]
    again: Callable[[], Coroutine[Any, Any, None]]


class Supervisor:
    """Runs one instance in a locked state directory."""

    def __init__(
        self,
        *,
        state: StateDir,
        program: EngineProgram,
        source: Callable[[Tell, EngineBorder], Source],
        manners: Manners = OURS,
    ) -> None:
        self._manners = manners
        self._queue: asyncio.Queue[Item] = asyncio.Queue()
        self._state = state
        self._keeper = Keeper(
            state=state,
            program=program,
            on_lost=lambda: self._queue.put_nowait(Lost()),
            on_event=_log_event if manners.tells_events else lambda _event: None,
        )
        self._serves = asyncio.Event()
        self._source = source(self._queue.put_nowait, EngineBorder(call=self._keeper.call, serves=self._serves))
        self._opened = False
        self._ready = False
        self._stopping = False
        self._hurry = asyncio.Event()
        self._asked: Bundle | None = None
        self._pending: Bundle | None = None
        self._revival: asyncio.TimerHandle | None = None
        self._deadly = 0
        self._applied = 0
        self._grace = 0.0
        self._started_on = EngineTerms()
        self._logs: tuple[str, ...] = ()

    async def run(self) -> None:
        """Run until Stop or Leave. Raises ConfigError or EngineError when there is nothing to run."""
        loop = asyncio.get_running_loop()
        for number in self._manners.signals:
            loop.add_signal_handler(number, self._signalled, number)
        source = asyncio.create_task(self._follow_source(), name="configuration")
        try:
            while await self._handle(await self._queue.get()):
                pass
        finally:
            source.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await source
            for number in self._manners.signals:
                loop.remove_signal_handler(number)
            await self._keeper.leave()

    async def _handle(self, item: Item) -> bool:
        """Do one thing; tell whether to go on."""
        match item:
            case Wanted():
                await self._consider(item)
            case Rejected():
                _log.error("the change is not taken: what was before stays")
                notify(X_DAEMUN_REFUSED=1)
            case Lost():
                await self._lost()
            case Revive():
                await self._revive()
            case Reread():
                await self._source.again()
            case Reopen():
                await self._reopen()
            case SourceEnded(error):
                await self._give_up(error)
            case Stop(grace):
                limit = self._grace if grace is None else grace
                notify(STOPPING=1)
                _log.info("stopping", grace=limit)
                stated = limit if self._manners.states_grace else grace
                await self._keeper.stop(limit=limit + _STOP_MARGIN, hurry=self._hurry, grace=stated)
                return False
            case NotYet(what):
                _log.error(what)
            case Leave():
                _log.info("leaving the engine to another control plane", engine=self._keeper.pid)
                return False
        return True

    async def _consider(self, wanted: Wanted) -> None:
        self._grace = wanted.grace
        log, terms = wanted.log, wanted.engine
        self._logs = (*wanted.logs, *((log.file_path,) if log.file_path else ()))
        make_logs(self._logs, terms.account)
        try:
            configure(level=log.level, form=log.format, path=log.file_path, colour=not log.no_color)
        except OSError as error:
            _log.error("the log file cannot be opened", file=log.file_path, reason=error.strerror)
        self._keeper.program = replace(self._keeper.program, level=engine_level(log.level))
        if LOG_FILE.descriptor is not None:
            self._keeper.program = replace(self._keeper.program, log=LOG_FILE.descriptor)
        if self._keeper.program.log_file:
            self._keeper.program = replace(self._keeper.program, log_file=log.file_path or "-")
        self._keeper.program = replace(self._keeper.program, account=terms.account, temp_dir=terms.temp_dir)
        if self._opened and terms != self._started_on:
            _log.warning("the user, the number of threads and the directory of temporary files stay until a restart")
        if not self._opened:
            if self._keeper.program.threads is None:
                self._keeper.program = replace(self._keeper.program, threads=wanted.engine.threads)
            self._started_on = wanted.engine
            busy = await self._keeper.open()
            self._opened = True
            if busy and not wanted.complete:
                _log.error("the configuration cannot be read whole: the engine goes on with what it has")
                self._say_ready()
                return
            await self._apply(wanted.bundle, first=not busy)
        elif wanted.bundle == self._asked:
            _log.debug("the configuration means the same as before")
            notify(X_DAEMUN_UNCHANGED=1)
        elif self._only_certificates(wanted.bundle):
            await self._renew(wanted.bundle)
        elif (services := self._moved(wanted.bundle)) is not None:
            await self._move(wanted.bundle, services)
        else:
            await self._apply(wanted.bundle)

    def _only_certificates(self, bundle: Bundle) -> bool:
        """Tell whether nothing but certificates has changed; roots are taken with an apply only."""
        asked = self._asked
        return (
            asked is not None
            and self._pending is None
            and self._keeper.is_up
            and (asked.plan, asked.secrets) == (bundle.plan, bundle.secrets)
        )

    def _moved(self, bundle: Bundle) -> list[str] | None:
        """Return the services whose endpoints are all that has changed; None when more has, or they cannot be set."""
        running = self._keeper.running
        if running is None or self._pending is not None or not self._keeper.is_up or running.secrets != bundle.secrets:
            return None
        return running.moved(bundle)

    async def _move(self, bundle: Bundle, services: list[str]) -> None:
        """Give services other endpoints without an apply."""
        self._asked = bundle
        try:
            await self._keeper.move(bundle, services)
        except CallRefused as error:
            _log.warning("the engine refuses endpoints: the whole Plan is applied", reason=str(error))
            await self._apply(bundle)
        except ConnectionLost:
            self._pending = bundle
        else:
            _log.info("endpoints set", services=", ".join(services))
            notify(X_DAEMUN_APPLIED=self._applied, X_DAEMUN_ENDPOINTS=len(services))

    async def _renew(self, bundle: Bundle) -> None:
        self._asked = bundle
        try:
            names = await self._keeper.renew(bundle)
        except CallRefused as error:
            self._asked = None
            _log.error("the engine refuses a certificate", reason=str(error), **_origin(bundle.plan, error.where))
            notify(X_DAEMUN_REFUSED=1)
        except ConnectionLost:
            self._pending = bundle
        else:
            _log.info("certificates handed over", names=", ".join(names))
            notify(X_DAEMUN_CERTIFICATES=len(names))

    async def _apply(self, bundle: Bundle, *, first: bool = False) -> None:
        if self._asked is None or bundle.plan != self._asked.plan:
            self._deadly = 0
        self._asked = self._pending = bundle
        if not self._keeper.is_up:
            return  # it is applied when the engine is back
        self._pending = None
        try:
            applied = await (self._apply_first(bundle) if first else self._keeper.apply(bundle))
        except CallRefused as error:
            self._asked = None  # saving the file once more is asking once more
            _log.error("the engine refuses the configuration", reason=str(error), **_origin(bundle.plan, error.where))
            notify(X_DAEMUN_REFUSED=1)
            if first and (error.kind == "bind_failed" or self._manners.must_start):
                await self._keeper.stop(limit=_STOP_MARGIN, hurry=self._hurry)
                raise StartFailed(error) from None
            self._say_ready()
        except ConnectionLost as error:
            self._pending = bundle
            self._deadly += 1
            if self._deadly >= _DEADLY:
                self._asked = self._pending = None
                self._deadly = 0
                self._keeper.forgive()
                _log.error("the engine dies of this configuration: what was before stays", reason=str(error))
                notify(X_DAEMUN_REFUSED=1)
        else:
            self._say_applied(applied)

    async def _apply_first(self, bundle: Bundle) -> Applied:
        """Apply, and wait for an address that is in use: whoever had it may be leaving."""
        for _ in range(self._manners.bind_tries - 1):
            try:
                return await self._keeper.apply(bundle)
            except CallRefused as error:
                if error.kind != "bind_failed" or "in use" not in error.message.lower():
                    raise
                _log.warning("an address is in use and tried again", reason=error.message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._manners.bind_pause)
        return await self._keeper.apply(bundle)

    async def _lost(self) -> None:
        if self._keeper.is_up:
            return  # of a connection before this one
        delay = await self._keeper.bury()
        self._later(delay)
        if self._pending is not None:
            await self._apply(self._pending)  # it may only have closed the connection

    async def _revive(self) -> None:
        try:
            applied = await self._keeper.revive()
        except EngineError as error:
            _log.error("the engine cannot be started again", reason=str(error))
            if not self._keeper.is_up:
                self._later(await self._keeper.bury())
            return
        if applied is not None:
            self._say_applied(applied)
        if self._pending is not None:
            await self._apply(self._pending)

    async def _reopen(self) -> None:
        LOG_FILE.reopen()
        make_logs(self._logs, self._keeper.program.account)
        with contextlib.suppress(EngineError):
            await self._keeper.call("reopen_logs")
        _log.info("log files opened again")

    async def _give_up(self, error: BaseException) -> None:
        if not self._opened:
            raise error
        _log.error("the configuration is no longer watched", reason=repr(error))

    def _later(self, delay: float) -> None:
        if self._keeper.is_up:
            return
        if self._revival is not None:
            self._revival.cancel()
        self._revival = asyncio.get_running_loop().call_later(delay, self._queue.put_nowait, Revive())

    def _say_applied(self, applied: Applied) -> None:
        self._serves.set()
        self._applied = applied.number
        _log.info("configuration applied", number=applied.number, **applied.listeners)
        notify(X_DAEMUN_APPLIED=applied.number)
        if not self._ready and LOG_FILE.is_terminal and "NOTIFY_SOCKET" not in os.environ:
            # Traefik's default level says nothing at all: a person who waits wants to know that it runs.
            where = ", ".join(f"{name} at {address}" for name, address in applied.listeners.items())
            LOG_FILE.write(f"daemun listens: {where}. Ctrl-C stops it.")
        self._say_ready()

    def _say_ready(self) -> None:
        if not self._ready:
            self._manners.ready()
            notify(READY=1)
            self._ready = True

    def _signalled(self, number: signal.Signals) -> None:
        item = self._manners.signals[number]
        if isinstance(item, Stop) and self._stopping:
            if item.insists:
                self._hurry.set()
            return
        self._stopping = self._stopping or isinstance(item, Stop)
        self._queue.put_nowait(item)

    async def _follow_source(self) -> None:
        try:
            await self._source.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop decides what it means
            self._queue.put_nowait(SourceEnded(error))


def _log_event(event: Event) -> None:
    getattr(_log, _EVENT_LEVELS.get(event.name, "info"))(event.name, **{k: str(v) for k, v in event.fields.items()})


def _origin(plan: bytes, where: str) -> dict[str, Any]:
    """Return the place in the user's file of the Plan's object that `where` names (`routes.api@file.action`)."""
    kind, _, rest = where.partition(".")
    objects = json.loads(plan).get(kind)
    if not isinstance(objects, dict):
        return {}
    named = max((name for name in objects if rest == name or rest.startswith(f"{name}.")), key=len, default=None)
    value = objects.get(named)
    origin = value.get("origin") if isinstance(value, dict) else None
    return {key: origin[key] for key in ("name", "file", "line") if origin.get(key)} if origin else {}
