"""One instance from its options to its end: lock, source, supervisor, exit status.

Messages about a start that failed go to standard error as plain text: a person is waiting for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from daemun.certificates.local import default_data_dir
from daemun.config.language import Language, language_of
from daemun.config.search import find_config
from daemun.engine.locate import find_engine
from daemun.engine.process import EngineProgram
from daemun.engine.state import AlreadyRunning, StateDir, default_state_dir
from daemun.errors import ConfigError, DaemunError, EngineError, render_problem
from daemun.logs import configure
from daemun.plan.endpoints import Generations, newest
from daemun.run.borders import EngineBorder, Tell
from daemun.run.certificates import AcmeSource
from daemun.run.growing import settle
from daemun.run.lowering import Lowerer
from daemun.run.options import OWN_FLAGS, Options
from daemun.run.pages import Pages
from daemun.supervisor import Source, Supervisor

# A control plane that was asked to leave does so at once, unless it is applying something.
_LEAVE_LIMIT = 10.0
_PAUSE = 0.02


def run(options: Options) -> int:
    """Run until stopped; return the exit status."""
    configure(level="error", form="common")
    settle()
    try:
        program = EngineProgram(binary=find_engine(), threads=options.threads, log=_engine_log(options))
        state = StateDir(state_path(options))
        _lock(state, replace=options.replace)
        with contextlib.closing(_Unlock(state)):
            asyncio.run(_supervise(options, state, program))
    except ConfigError as error:
        for problem in error.problems:
            print(render_problem(problem), file=sys.stderr)  # noqa: T201
        return 1
    except DaemunError as error:
        print(f"daemun: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def state_path(options: Options) -> Path:
    """Return the state directory: as named, else the user's; a `proxy` has one for each address."""
    if options.state_dir is not None:
        return Path(options.state_dir)
    if not options.to:
        return default_state_dir()
    name = "-".join((*options.listen, *options.listen_tls)).replace("/", "_").replace(":", "_")
    return default_state_dir() / f"proxy-{name}"


def _engine_log(options: Options) -> int | None:
    if options.engine_log is None:
        return None
    try:
        return os.open(options.engine_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineError(f"cannot write {options.engine_log}: {error.strerror or error}") from None


class _Unlock:
    def __init__(self, state: StateDir) -> None:
        self.close = state.unlock


async def _supervise(options: Options, state: StateDir, program: EngineProgram) -> None:
    await Supervisor(
        state=state, program=program, source=lambda tell, engine: _source(options, state, tell, engine)
    ).run()


def _source(options: Options, state: StateDir, tell: Tell, engine: EngineBorder) -> Source:
    data_dir = None if options.data_dir is None else Path(options.data_dir)
    pages = Pages(state.pages_socket)
    lowerer = Lowerer(
        tell=tell,
        data_dir=data_dir,
        pages=str(pages.socket),
        beside=pages.run,
        generations=Generations(floor=newest(state.kept_plan())),
        sources=lambda changed: [
            AcmeSource(state=state, pages=pages, directory=Path.cwd(), engine=engine, changed=changed)
        ],
    )
    if options.to:
        return _words(options, lowerer)
    path = find_config(os.environ) if options.config is None else Path(options.config)
    if path is not None and language_of(path) is Language.NGINX:
        return _nginx(options, path, lowerer)
    return _traefik(options, path, lowerer, state, pages)


# Each language's own modules are imported when it is spoken: the other's would stay in memory for nothing.


def _nginx(options: Options, path: Path, lowerer: Lowerer) -> Source:
    from daemun.nginx.certificates import LETS_ENCRYPT, Resolver
    from daemun.run.nginx_files import NginxFiles

    if options.flags:
        from daemun.config.flags import misplaced_flags

        raise ConfigError(problems=[misplaced_flags(options.flags, path)])
    acme = None
    if options.acme_email is not None:
        server = options.acme_server or LETS_ENCRYPT
        acme = Resolver(email=options.acme_email, server=server, roots=options.acme_ca_certificates)
    directory = default_data_dir() if options.data_dir is None else Path(options.data_dir)
    files = NginxFiles(path, lowerer=lowerer, directory=directory, acme=acme)
    return Source(run=files.run, again=files.again)


def _traefik(options: Options, path: Path | None, lowerer: Lowerer, state: StateDir, pages: Pages) -> Source:
    from daemun.run.wanted import FileSource
    from daemun.traefik.sources import StaticSources

    sources = StaticSources(file=path, flags=options.flags, environ=dict(os.environ), own=OWN_FLAGS)
    files = FileSource(sources, lowerer=lowerer, state=state.path, show=pages.show)
    return Source(run=files.run, again=files.again)


def _words(options: Options, lowerer: Lowerer) -> Source:
    from daemun.run.proxy import proxy_values
    from daemun.traefik.configuration import TraefikConfiguration
    from daemun.traefik.lower import lower

    async def run() -> None:
        static, dynamic = proxy_values(options)
        if wrong := [problem for problem in lower(static, dynamic)[1] if problem.is_error]:
            raise ConfigError(problems=wrong)
        await lowerer.set(TraefikConfiguration(static=static, dynamic=dynamic))
        await lowerer.run()

    async def nothing() -> None:
        return

    return Source(run=run, again=nothing)


def _lock(state: StateDir, *, replace: bool) -> None:
    try:
        state.lock()
    except AlreadyRunning as running:
        if not replace or not running.pid:
            raise
        for number in (signal.SIGUSR2, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, number)
            end = time.monotonic() + _LEAVE_LIMIT
            while time.monotonic() < end:
                with contextlib.suppress(AlreadyRunning):
                    state.lock()
                    return
                time.sleep(_PAUSE)
        raise
