"""`daemun proxy`: a reverse proxy without a file."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from daemun.cli.run import DATA_DIR, REPLACE, STATE_DIR, THREADS, become


class Strategy(enum.StrEnum):
    """How a server is chosen; Traefik's names, and leastconn and iphash."""

    WRR = "wrr"
    P2C = "p2c"
    LEASTCONN = "leastconn"
    IPHASH = "iphash"
    HRW = "hrw"
    LEASTTIME = "leasttime"


class LogLevel(enum.StrEnum):
    """How much is said."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


def proxy(  # noqa: PLR0913, PLR0917 - an option each
    to: Annotated[list[str], typer.Option(help="A server; again for more: http://127.0.0.1:8000, or just :8000.")],
    listen: Annotated[list[str] | None, typer.Option(help="Where to listen, [host]:port. [default: :8080]")] = None,
    listen_tls: Annotated[
        list[str] | None,
        typer.Option(help="Where to listen for https, [host]:port; `daemun trust` makes the certificates trusted."),
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="A local name to have a certificate for. [default: localhost]")
    ] = None,
    strategy: Annotated[Strategy, typer.Option(help="How the server of a request is chosen.")] = Strategy.WRR,
    log_level: Annotated[LogLevel, typer.Option(help="How much is said.")] = LogLevel.INFO,
    threads: Annotated[int | None, THREADS] = None,
    state_dir: Annotated[Path | None, STATE_DIR] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
    replace: Annotated[bool, REPLACE] = False,  # noqa: FBT002 - typer's way
) -> None:
    """Stand in front of one or more servers, without any file.

    Example: [bold]daemun proxy --listen :8080 --listen-tls :8443 --to :8000 --to :8001[/bold]
    """
    from daemun.run.options import Options

    options = Options(
        listen=tuple(listen or ([] if listen_tls else [":8080"])),
        listen_tls=tuple(listen_tls or ()),
        hosts=tuple(host or ()),
        to=tuple(to),
        strategy=strategy.value,
        log_level=log_level.value,
        threads=threads,
        state_dir=None if state_dir is None else str(state_dir),
        data_dir=None if data_dir is None else str(data_dir),
        replace=replace,
    )
    become(options.command())
