"""From typed values to what the engine gets, again and again: a Plan, and the certificates and secrets it names.

    Configuration ── needs ─ gather ─ lower ─► Wanted
                        ▲        ▲
        files change ───┘        └─── a source has a new certificate; one of our own must be renewed

Whoever has a configuration calls `set` (run/wanted.py, run/nginx_files.py, or `daemun proxy`); this calls `tell` with the result, and again
when only certificates changed. Problems are logged here, once each time they change. Nothing here speaks to the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from daemun.certificates.files import FilesRead
from daemun.certificates.gather import CertificateSource, Gathered, Gatherer, covered_names
from daemun.certificates.local import default_data_dir
from daemun.certificates.material import Material
from daemun.engine.bundle import bundle_of
from daemun.errors import ConfigError, Problem
from daemun.logs import log_problem
from daemun.needs import Needs
from daemun.plan.endpoints import Generations
from daemun.plan.log import File
from daemun.plan.scalars import Id
from daemun.providers.watch import changes
from daemun.run.borders import Rejected, Tell, Wanted
from daemun.run.growing import growing
from daemun.run.language import Configuration

_log = structlog.get_logger()
# Where our own application listens when nobody says: the socket in root's state directory.
PAGES = "/run/daemun/pages.sock"
_AFTER_FAILURE = 1.0  # seconds; only a mistake of ours leads here
# A clock that was set back, or a machine that slept, is noticed after this, seconds.
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A configuration and the certificates it needs, as far as files have them."""

    configuration: Configuration
    needs: Needs
    read: FilesRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """What became of a configuration, and of the certificates it needs."""

    wanted: Wanted
    problems: tuple[Problem, ...]
    gathered: Gathered


Sources = Callable[[Callable[[], None]], Sequence[CertificateSource]]


Run = Callable[[], Coroutine[Any, Any, None]]


def no_sources(_changed: Callable[[], None]) -> Sequence[CertificateSource]:
    """Return nothing that obtains certificates."""
    return ()


class Lowerer:
    """Keeps a configuration lowered. `sources` is called with what each of them calls when it has something new.

    `pages` is the socket of our own application, `beside` what serves it, `generations` remembers endpoints, `log`
    writes what is wrong.
    """

    def __init__(
        self,
        *,
        tell: Tell,
        data_dir: Path | None = None,
        pages: str = PAGES,
        beside: Run | None = None,
        sources: Sources = no_sources,
        generations: Generations | None = None,
        log: Callable[[Problem], None] = log_problem,
    ) -> None:
        self._tell = tell
        self._log_problem = log
        self._pages = pages
        self._beside = beside
        self._gatherer = Gatherer(data_dir=data_dir or default_data_dir())
        self._generations = generations or Generations()
        self._sources = tuple(sources(self.again))
        self._configuration: Configuration | None = None
        self._said: tuple[Problem, ...] = ()
        self._logged: tuple[Problem, ...] = ()
        self._told: Wanted | None = None
        self._until: datetime | None = None
        self._lock = asyncio.Lock()
        self._again = asyncio.Event()
        self._watched = asyncio.Event()

    async def set(self, configuration: Configuration, *, said: tuple[Problem, ...] = ()) -> None:
        """Lower a new configuration and tell; `said` is what was found wrong when it was read.

        One that is all or nothing, and has an error, is rejected; the first one raises ConfigError.
        """
        async with self._lock:
            lowered = await self._lower(configuration)
            problems = (*said, *lowered.problems)
            if configuration.all_or_nothing and any(problem.is_error for problem in problems):
                if self._configuration is None:
                    raise ConfigError(problems=problems)
                self.reject(problems)
                await self._lower(self._configuration)  # its files are watched again
                return
            self._configuration, self._said = configuration, said
            if problems != self._logged:
                self._log(problems)
            self._say(lowered.wanted)

    def reject(self, problems: Sequence[Problem]) -> None:
        """Tell of a change that cannot be used."""
        if tuple(problems) != self._logged:
            self._log(tuple(problems))
        self._tell(Rejected(problems=tuple(problems)))

    def again(self) -> None:
        """Look again at certificates, soon: something has changed. To be called in the event loop's thread."""
        self._again.set()

    async def run(self) -> None:
        """Follow certificates until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_kept_going(self._follow_files), name="certificate files")
            tasks.create_task(_kept_going(self._follow_rest), name="certificates")
            if self._beside is not None:
                tasks.create_task(_kept_going(self._beside), name="pages")
            for source in self._sources:
                tasks.create_task(_kept_going(source.run), name="certificate source")

    async def _follow_files(self) -> None:
        await self._watched.wait()
        async with aclosing(changes(lambda: self._gatherer.paths)) as told:
            async for _ in told:
                if not self._gatherer.paths:
                    self._watched.clear()
                    return
                self.again()

    async def _follow_rest(self) -> None:
        wait = _LONGEST_WAIT
        if self._until is not None and self._configuration is not None:
            wait = min(max((self._until - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_WAIT)
        # Not wait_for: it forgets that it was cancelled when the event comes at the same moment (Python 3.11).
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._again.wait()
        due = self._until is not None and self._until <= datetime.now(UTC)
        if not self._again.is_set() and not due:
            return
        self._again.clear()
        async with self._lock:
            if self._configuration is None:
                return
            lowered = await self._lower(self._configuration)
            problems = (*self._said, *lowered.problems)
            # The rest of a configuration was complained about when it was read.
            self._log(problems, but=self._logged)
            if lowered.wanted != self._told:
                self._say(lowered.wanted)

    async def _lower(self, configuration: Configuration) -> Lowered:
        looked = await asyncio.to_thread(look, configuration, gatherer=self._gatherer)
        covered = covered_names(looked.needs, looked.read)
        others: dict[Id, Material] = {}
        for source in self._sources:
            try:
                await source.want(configuration.resolvers(), looked.needs.wishes, covered)
                others.update(source.materials())
            except Exception:  # noqa: BLE001 - what obtains certificates must not keep a configuration from being served
                _log.exception("certificates cannot be obtained: the configuration goes on without them")
        lowered = await asyncio.to_thread(
            lower_all,
            looked,
            gatherer=self._gatherer,
            others=others,
            pages=self._pages,
            generations=self._generations,
        )
        self._until = lowered.gathered.until
        if self._gatherer.paths:
            self._watched.set()
        return lowered

    def _say(self, wanted: Wanted) -> None:
        self._told = wanted
        self._tell(wanted)

    def _log(self, problems: tuple[Problem, ...], *, but: Sequence[Problem] = ()) -> None:
        """Say what is wrong, but for what was said; what is only worth knowing (a hidden container) is never repeated."""
        said = {*but, *(problem for problem in self._logged if problem.severity == "info")}
        for problem in problems:
            if problem not in said:
                self._log_problem(problem)
        self._logged = problems


@growing()
def look(configuration: Configuration, *, gatherer: Gatherer) -> Looked:
    """Find out which certificates are needed, and read the files."""
    needs = configuration.needs()
    return Looked(configuration=configuration, needs=needs, read=gatherer.read(needs, now=datetime.now(UTC)))


@growing()
def lower_all(
    looked: Looked,
    *,
    gatherer: Gatherer,
    others: Mapping[Id, Material] | None = None,
    pages: str = PAGES,
    generations: Generations | None = None,
) -> Lowered:
    """Lower a configuration with what is at hand; `others` are the certificates of sources."""
    configuration = looked.configuration
    gathered = gatherer.gather(looked.needs, looked.read, others or {}, now=datetime.now(UTC))
    plan, problems = configuration.lower(gathered.at_hand, pages=pages)
    plan = (generations or Generations()).stamped(plan)
    closings = [listener.closing for listener in plan.listeners.values()]
    grace = max((closing.accept_grace_ms + closing.grace_ms for closing in closings), default=0) / 1000
    wanted = Wanted(
        bundle=bundle_of(
            plan,
            materials=gathered.materials,
            roots=gathered.secrets,
            secrets=configuration.secrets,
            moving=configuration.endpoints_move,
        ),
        log=configuration.log,
        grace=grace,
        complete=configuration.complete,
        engine=configuration.engine,
        logs=tuple(log.sink.path for log in plan.logs.values() if isinstance(log.sink, File)),
    )
    return Lowered(wanted=wanted, problems=(*problems, *gathered.problems), gathered=gathered)


async def _kept_going(follow: Run) -> None:
    while True:
        try:
            await follow()
        except Exception:  # noqa: BLE001 - a stream that ended for ever would be worse
            _log.exception("following certificates or serving pages failed and begins again", after=_AFTER_FAILURE)
            await asyncio.sleep(_AFTER_FAILURE)
