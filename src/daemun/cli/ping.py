"""`daemun ping`: is the instance well? For a container's health check; Traefik calls it `healthcheck`.

Facts (Traefik v3.7): HEAD /ping on the entry point that `ping` names in the configuration given again, 5 s, clear text
only. Decisions: with flags or a file, as there, but over TLS where the entry point terminates it; without, the running
instance of the state directory is asked where it answers pings, so that nothing is said twice; one that answers none,
such as an nginx.conf's, is well when its engine runs a Plan, for an image's health check does not know the configuration.
Its control plane need not run: the engine knows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from daemun.cli.run import CONFIG, STATE_DIR
from daemun.cli.static_flags import static_flags

if TYPE_CHECKING:
    from daemun.engine.frames import Json

_PATIENCE = 5.0  # seconds
_OK = 200
_PATH = "/ping"
# What lowering calls the answer.
_ROUTE = "ping@internal"
# Listening everywhere is listening here.
_HERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not we listen there


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Whom to ask."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{_PATH}"


def ping(
    context: typer.Context,
    config: Annotated[Path | None, CONFIG] = None,
    state_dir: Annotated[Path | None, STATE_DIR] = None,
) -> None:
    """Ask the running instance whether it is well: a health check for containers.

    Ends with 0 when it answers 200, with 1 when not. The instance is the one of the state directory; if
    [bold]ping[/bold] is not switched on there, its engine is asked whether it serves. Or it is the one that has this
    configuration, when a file or flags are given as to [bold]daemun run[/bold]; then [bold]ping[/bold] must be switched on
    ([bold]--ping=true[/bold]).
    """
    flags = static_flags(context)
    address = _configured(config, flags) if config is not None or flags else _running(state_dir)
    if address is None:
        typer.echo("OK: the engine serves (ping is not switched on)")
        return
    try:
        status = _ask(address)
    except OSError as error:
        _fail(f"{address.url} does not answer: {(error.strerror or str(error)).lower()}")
    if status != _OK:
        _fail(f"{address.url} answers {status}")
    typer.echo(f"OK: {address.url}")


def _running(state_dir: Path | None) -> _Address | None:
    """Return where the instance answers pings; None when it answers none, and serves."""
    import asyncio

    from daemun.engine.state import StateDir, default_state_dir
    from daemun.errors import EngineError

    state = StateDir(state_dir or default_state_dir())
    try:
        return asyncio.run(_listener(state.control_socket))
    except EngineError as error:
        _fail(str(error))


async def _listener(socket: Path) -> _Address | None:
    """Find the listener on which the engine answers pings itself. Raises EngineError when there is no engine that serves."""
    from daemun.engine.client import connect
    from daemun.errors import EngineError

    async with await connect(socket, patience=_PATIENCE) as engine:
        if not engine.hello.applied:
            raise EngineError("the engine has no Plan yet")
        listeners = (await engine.call("stats")).get("listeners")
        for name, said in listeners.items() if isinstance(listeners, dict) else ():
            for tls in (False, True):
                request: dict[str, Json] = {
                    "method": "HEAD",
                    "target": _PATH,
                    "host": "localhost",
                    "headers": [],
                    "client_ip": "127.0.0.1",
                    "tls": tls,
                }
                answer = await engine.call("explain", listener=name, **request)
                if answer.get("route") == _ROUTE and isinstance(said, dict):
                    host, _, port = str(said.get("address")).rpartition(":")
                    return _here(host.removeprefix("[").removesuffix("]"), int(port), tls=tls)
    return None


def _configured(config: Path | None, flags: tuple[str, ...]) -> _Address:
    from daemun.config.language import Language, language_of
    from daemun.config.search import find_config
    from daemun.errors import ConfigError, render_problem
    from daemun.run.options import OWN_FLAGS
    from daemun.traefik.lower_listeners import open_gates
    from daemun.traefik.sources import StaticSources

    file = config or find_config(os.environ)
    if file is not None and language_of(file) is Language.NGINX:
        _fail(f"{file} is an nginx.conf, which has no ping")
    try:
        static, _ = StaticSources(file=file, flags=flags, environ=os.environ, own=OWN_FLAGS).load()
    except ConfigError as error:
        for problem in error.problems:
            if problem.is_error:
                typer.echo(render_problem(problem), err=True)
        raise typer.Exit(1) from None
    gate = None if static.ping is None else open_gates(static).get(static.ping.entry_point)
    if gate is None:
        _fail("ping is not switched on: give --ping=true here and to the instance, or ping in the file")
    return _here(gate.entry_point.host, gate.entry_point.port, tls=gate.entry_point.http.tls is not None)


def _here(host: str, port: int, *, tls: bool) -> _Address:
    return _Address(host=_HERE.get(host, host), port=port, tls=tls)


def _ask(address: _Address) -> int:
    """Return the status of the answer. Raises OSError when there is none."""
    import http.client
    import ssl

    if address.tls:
        context = ssl.create_default_context()
        # It is this machine, and its certificates are for names.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            address.host, address.port, timeout=_PATIENCE, context=context
        )
    else:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=_PATIENCE)
    try:
        connection.request("HEAD", _PATH)
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__} {error}".strip()) from None
    finally:
        connection.close()


def _fail(message: str) -> NoReturn:
    typer.echo(f"daemun: {message}", err=True)
    raise typer.Exit(1)
