"""`daemun nginx`: nginx's own command line, for whoever has scripts and units that start nginx.

Here it only stands among the commands, for `daemun --help`; main.py hands its words to `daemun.run.drop_in` before
typer is loaded, for a start must be quick and `-h`, `-v` and `-?` are nginx's.
"""

from __future__ import annotations

from typing import Annotated

import typer


def nginx(words: Annotated[list[str] | None, typer.Argument(metavar="FLAGS…")] = None) -> None:
    """Stand in for nginx: its flags, pid file, signals and messages.

    The same command under the name `nginx` (a symbolic link) does the same: scripts and service units keep working.
    See `daemun nginx -h`.
    """
    from daemun.run.drop_in.command import nginx as run_nginx

    raise typer.Exit(run_nginx(words or []))
