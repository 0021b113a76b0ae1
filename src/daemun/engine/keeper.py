"""One engine, kept running on the last Plan it took.

    open ── adopt what answers at the control socket, else start ──► apply … apply ──► stop | leave
                              ▲                                        │ the connection ends
                              └──────────── revive ◄── on_lost ◄───────┘

Before a Plan its certificates and secrets are handed over (handover.py). An engine that dies is started again at once; one that dies young again and again is started ever later, and from the
third time on with the Plan before the last one. When to revive is the supervisor's: nothing here waits for a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Callable, Sequence

import structlog

from daemun.engine.bundle import Bundle
from daemun.engine.client import Applied, Client, ConnectionLost, Listener, connect
from daemun.engine.frames import Json
from daemun.engine.handover import Handover
from daemun.engine.process import EngineProgram, Watched, listening_pid, start
from daemun.engine.state import StateDir
from daemun.errors import EngineError
from daemun.plan.codec import written
from daemun.plan.plan import VERSION
from daemun.plan.service import Endpoint

_log = structlog.get_logger()

YOUNG = 10.0  # an engine that ends sooner than this, seconds, is taken for one that its Plan kills
DEATHS = 3  # so many of them and the Plan before is tried
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 10.0
_START_LIMIT = 10.0  # to bind its socket and say hello
_HANG_LIMIT = 2.0  # for an engine that lives and has closed the connection to say hello again
_PAUSE = 0.005  # between two looks whether a new engine listens


class Keeper:
    """Holds the engine of one state directory. Its methods are called one after the other, never at once."""

    def __init__(
        self, *, state: StateDir, program: EngineProgram, on_lost: Callable[[], None], on_event: Listener
    ) -> None:
        self.program = program
        self._state = state
        self._on_lost = on_lost
        self._on_event = on_event
        self._client: Client | None = None
        self._process: Watched | None = None
        self._watch: asyncio.Task[None] | None = None
        self._started = 0.0
        self._young_deaths = 0
        self._handover = Handover()
        self._bundle: Bundle | None = None
        self._bundle_before: Bundle | None = None
        self._kept: bytes | None = None

    @property
    def is_up(self) -> bool:
        """Whether an engine is connected."""
        return self._client is not None and not self._client.closed.is_set()

    @property
    def running(self) -> Bundle | None:
        """What the engine got last and took; an adopted one's is not known."""
        return self._bundle

    @property
    def pid(self) -> int:
        """The engine's process, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    async def open(self) -> bool:
        """Adopt a running engine or start one; tell whether one was adopted that has a Plan. Raises EngineError."""
        socket = self._state.control_socket
        try:
            client = await connect(socket, on_event=self._on_event, patience=_HANG_LIMIT)
        except ConnectionLost:
            hung = listening_pid(socket)
            if hung:
                _log.error("an engine holds the control socket, says nothing, and is killed", pid=hung)
                await _end(Watched(hung), limit=0)
            await self._start()
            return False
        if VERSION in client.hello.plan_versions:
            self._take(client, Watched(client.hello.pid))
            self._started = time.monotonic()
            _log.info("engine adopted", pid=self.pid, version=client.hello.engine, plans=client.hello.applied)
            return client.hello.applied > 0
        _log.warning("the running engine speaks other Plans and is replaced", version=client.hello.engine)
        old = Watched(client.hello.pid)
        await client.shutdown()
        await client.close()
        await _end(old, limit=_HANG_LIMIT)
        await self._start()
        return False

    async def apply(self, bundle: Bundle) -> Applied:
        """Hand over what a Plan names, apply it, and keep it. Raises CallRefused (the old one goes on), ConnectionLost."""
        if self._client is None:
            raise ConnectionLost("there is no engine")
        await self._handover.put(self._client, bundle)
        applied = await self._client.apply(bundle.plan)
        self._handover.applied(bundle)
        if self._bundle is None or bundle.plan != self._bundle.plan:
            self._bundle_before = self._bundle
            self._young_deaths = 0
        self._remember(bundle)
        self._keep(bundle.plan)
        return applied

    async def move(self, bundle: Bundle, services: Sequence[str]) -> None:
        """Give these services of the applied Plan the endpoints that the bundle has, and keep it as the last one.

        Raises CallRefused, ConnectionLost: then some may have theirs, and an apply of the bundle gives them to all.
        """
        if self._client is None:
            raise ConnectionLost("there is no engine")
        await self._handover.put(self._client, bundle)
        for name in services:
            kind = bundle.balanced[name]
            endpoints: Json = json.loads(written(tuple[Endpoint, ...], kind.endpoints))
            await self._client.call("set_endpoints", service=name, generation=kind.generation, endpoints=endpoints)
        self._remember(bundle)
        self._keep(bundle.plan, moved=True)

    async def renew(self, bundle: Bundle) -> list[str]:
        """Hand over what changed of an applied Plan's certificates; return their names.

        They are shown from the next handshake on. Raises CallRefused, ConnectionLost.
        """
        if self._client is None:
            raise ConnectionLost("there is no engine")
        put = await self._handover.put(self._client, bundle)
        self._remember(bundle)
        return put

    def forgive(self) -> None:
        """Forget the deaths so far: they had a reason that is gone."""
        self._young_deaths = 0

    async def call(self, call: str, **fields: Json) -> dict[str, Json]:
        """Make any other call of the reference. Raises CallRefused, ConnectionLost."""
        if self._client is None:
            raise ConnectionLost("there is no engine")
        return await self._client.call(call, **fields)

    async def bury(self) -> float:
        """Make sure that the lost engine is gone; return the seconds to wait before `revive`."""
        client, process = self._client, self._process
        self._forget_client()
        if client is not None:
            await client.close()
        if process is None:
            return self._delay()
        if not await process.wait(0.1):
            with contextlib.suppress(EngineError):
                again = await connect(self._state.control_socket, on_event=self._on_event, patience=_HANG_LIMIT)
                self._take(again, process)
                _log.warning("engine connected again", pid=self.pid)
                return 0.0
            _log.error("the engine does not answer and is killed", pid=process.pid)
            await _end(process, limit=0)
        self._process = None
        lived = time.monotonic() - self._started
        self._young_deaths = self._young_deaths + 1 if lived < YOUNG else 0
        delay = self._delay()
        _log.error(f"the engine {process.how()}", pid=process.pid, lived=round(lived, 1), again_in=delay)
        return delay

    async def revive(self) -> Applied | None:
        """Start an engine on the last Plan; None when it had none. Raises EngineError, counted as a young death."""
        if self.is_up:
            return None
        if self._young_deaths >= DEATHS and self._bundle_before is not None:
            _log.error("the engine keeps dying with this Plan: going back to the one before")
            self._bundle, self._bundle_before, self._young_deaths = self._bundle_before, None, 0
        try:
            await self._start()
            return None if self._bundle is None else await self.apply(self._bundle)
        except EngineError:
            if self._process is None:  # it never said hello; else `bury` counts it
                self._young_deaths += 1
            raise

    async def stop(self, *, limit: float, hurry: asyncio.Event, grace: float | None = None) -> None:
        """Let the engine finish what runs; end it after `limit` seconds, or when `hurry` is set.

        `grace` is how long what runs may take, seconds; the listeners' own grace times when None.
        """
        process = self._process
        if process is None:
            return
        try:
            if self._client is None:
                raise ConnectionLost("there is no connection")
            await self._client.shutdown(grace_ms=None if grace is None else round(grace * 1000))
        except EngineError:
            process.signal(signal.SIGTERM)
        waits = [asyncio.create_task(process.ended.wait()), asyncio.create_task(hurry.wait())]
        await asyncio.wait(waits, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await _end(process, limit=0)
        await self.leave()
        self._state.clear_socket()

    async def leave(self) -> None:
        """Let go of the engine, which goes on."""
        client, process = self._client, self._process
        self._forget_client()
        self._process = None
        if client is not None:
            await client.close()
        if process is not None:
            process.forget()

    def _keep(self, plan: bytes, *, moved: bool = False) -> None:
        if plan == self._kept:
            return
        try:
            self._state.keep_plan(plan, moved=moved)
        except OSError as error:
            _log.warning("the Plan cannot be kept", directory=str(self._state.path), reason=error.strerror)
        self._kept = plan

    def _remember(self, bundle: Bundle) -> None:
        """Keep what runs; going back to the Plan before must not go back to its old certificates."""
        self._bundle = bundle
        if self._bundle_before is not None:
            self._bundle_before = self._bundle_before.refreshed(bundle)

    def _delay(self) -> float:
        if self._young_deaths <= 1:
            return 0.0
        return float(min(_FIRST_DELAY * 2 ** (self._young_deaths - 2), _LONGEST_DELAY))

    async def _start(self) -> None:
        self._state.clear_socket()
        program = self.program
        pid = start(program, control=self._state.control_socket)
        self._started = time.monotonic()
        process = Watched(pid)
        client = await self._greet(process)
        self._take(client, process)
        _log.info("engine started", pid=pid, version=client.hello.engine, program=str(program.binary))

    async def _greet(self, process: Watched) -> Client:
        end = time.monotonic() + _START_LIMIT
        while True:
            try:
                return await connect(self._state.control_socket, on_event=self._on_event, patience=_START_LIMIT)
            except ConnectionLost as error:
                if await process.wait(_PAUSE):
                    raise EngineError(f"the engine {process.how()} before it was ready") from None
                if time.monotonic() > end:
                    await _end(process, limit=0)
                    raise EngineError(f"the engine was not ready within {_START_LIMIT:.0f} s: {error}") from None

    def _take(self, client: Client, process: Watched) -> None:
        self._client, self._process = client, process
        self._handover.forget_engine()
        self._watch = asyncio.create_task(self._report_loss(client), name="engine watch")

    def _forget_client(self) -> None:
        self._client = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _report_loss(self, client: Client) -> None:
        await client.closed.wait()
        self._on_lost()


async def _end(process: Watched, *, limit: float) -> None:
    """Wait for a process to end, and kill it after `limit` seconds."""
    if not await process.wait(limit):
        process.signal(signal.SIGKILL)
        await process.ended.wait()
