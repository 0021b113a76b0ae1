"""`daemun run`: a configuration file, served until stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from daemun.cli.static_flags import static_flags

CONFIG = typer.Option(
    "--config",
    "-c",
    "--configFile",
    "--configfile",
    metavar="FILE",
    help="Traefik's static configuration (TOML or YAML), or an nginx.conf: its content tells which it is. "
    "Without it ./daemun.toml (.yaml, .yml) is looked for, then $XDG_CONFIG_HOME, ~/.config, /etc/daemun, "
    "and where Traefik looks.",
)
STATE_DIR = typer.Option(
    help="Where this instance keeps its lock and the engine's socket; a second instance needs a second one. "
    "Default: /run/daemun for root, else below $XDG_RUNTIME_DIR or ~/.local/state."
)
DATA_DIR = typer.Option(
    envvar="DAEMUN_DATA_DIR",
    help="Where the local certificate authority is kept. "
    "Default: /var/lib/daemun for root, else below $XDG_DATA_HOME or ~/.local/share.",
)
THREADS = typer.Option(min=1, help="Threads of the engine; one for each core when not given.")
REPLACE = typer.Option("--replace", help="Take over from the running instance; its engine and its connections stay.")
ACME_EMAIL = typer.Option(
    help="Obtain certificates, under this account, for servers of an nginx.conf that listen with ssl and name none."
)
ACME_SERVER = typer.Option(metavar="URL", help="The authority's directory. Default: Let's Encrypt.")
ACME_CA = typer.Option(metavar="FILE", help="Roots to believe the authority by, besides the system's; for tests.")


def run(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    config: Annotated[Path | None, CONFIG] = None,
    threads: Annotated[int | None, THREADS] = None,
    state_dir: Annotated[Path | None, STATE_DIR] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
    replace: Annotated[bool, REPLACE] = False,  # noqa: FBT002 - typer's way
    acme_email: Annotated[str | None, ACME_EMAIL] = None,
    acme_server: Annotated[str | None, ACME_SERVER] = None,
    acme_ca: Annotated[list[Path] | None, ACME_CA] = None,
) -> None:
    """Serve what a configuration says: a file, flags, the environment.

    Traefik's static options are flags too, [bold]--providers.docker=true --entrypoints.web.address=:80[/bold], and
    variables, [bold]TRAEFIK_LOG_LEVEL=DEBUG[/bold] or [bold]DAEMUN_LOG_LEVEL=DEBUG[/bold]. A flag wins over a variable,
    that over the file. Without a command, [bold]daemun --providers.docker=true[/bold] runs too.

    The file and what it names are watched: changes apply without a restart, and what is wrong is logged with its
    place while the rest goes on. Ctrl-C or SIGTERM finishes what runs and ends; SIGHUP reads everything again.
    """
    from daemun.run.options import Options

    options = Options(
        config=None if config is None else str(config),
        flags=static_flags(context),
        threads=threads,
        state_dir=None if state_dir is None else str(state_dir),
        data_dir=None if data_dir is None else str(data_dir),
        replace=replace,
        acme_email=acme_email,
        acme_server=acme_server,
        acme_ca_certificates=tuple(str(path) for path in acme_ca or ()),
    )
    become(options.command())


def become(command: list[str]) -> None:
    """Replace this process by another program."""
    os.execv(command[0], command)  # noqa: S606 - our own interpreter
