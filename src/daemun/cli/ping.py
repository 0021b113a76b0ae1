"""`daemun ping`: is the instance with this configuration well? For a container's health check; Traefik: `healthcheck`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from daemun.cli.run import CONFIG
from daemun.cli.static_flags import static_flags

if TYPE_CHECKING:
    from daemun.traefik.ping import PingAddress

_PATIENCE = 5.0  # seconds, as Traefik has it
_OK = 200


def ping(context: typer.Context, config: Annotated[Path | None, CONFIG] = None) -> None:
    """Ask the instance with this configuration whether it is well.

    Takes the same file, flags and variables as [bold]daemun run[/bold], in which [bold]ping[/bold] must be switched on
    ([bold]--ping=true[/bold]). Ends with 0 when it answers 200, with 1 when not: a health check for containers.
    """
    address = _address(config, static_flags(context))
    try:
        status = _ask(address)
    except OSError as error:
        _fail(f"{address.url} does not answer: {(error.strerror or str(error)).lower()}")
    if status != _OK:
        _fail(f"{address.url} answers {status}")
    typer.echo(f"OK: {address.url}")


def _address(config: Path | None, flags: tuple[str, ...]) -> PingAddress:
    from daemun.config.language import Language, language_of
    from daemun.config.search import find_config
    from daemun.errors import ConfigError, render_problem
    from daemun.run.options import OWN_FLAGS
    from daemun.traefik.ping import ping_address
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
    address = ping_address(static)
    if address is None:
        _fail("ping is not switched on: give --ping=true to the instance and to this command, or ping in the file")
    return address


def _ask(address: PingAddress) -> int:
    import http.client

    from daemun.traefik.ping import PATH

    if address.tls:
        import ssl

        context = ssl.create_default_context()
        # It is this machine, and its certificates are for names.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            address.host, address.port, timeout=_PATIENCE, context=context
        )
    else:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=_PATIENCE)
    try:
        connection.request("HEAD", PATH)
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__} {error}".strip()) from None
    finally:
        connection.close()


def _fail(message: str) -> NoReturn:
    typer.echo(f"daemun: {message}", err=True)
    raise typer.Exit(1)
