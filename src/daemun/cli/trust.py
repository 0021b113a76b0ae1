"""`daemun trust`: have this machine and its browsers believe the local certificate authority."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daemun.cli.run import DATA_DIR


def trust(
    remove: Annotated[bool, typer.Option("--remove", help="Take it back.")] = False,  # noqa: FBT002 - typer's way
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Trust the local certificate authority, which signs for localhost and other names no public one signs.

    Puts its root into the system's store (that needs root) and into the browsers' of this user, and says what it did and
    what it could not. Ends with 1 when something could not be done.
    """
    from datetime import UTC, datetime

    from daemun.certificates import trust as stores
    from daemun.certificates.local import LocalAuthority, default_data_dir
    from daemun.errors import CertificateError

    authority = LocalAuthority(data_dir or default_data_dir())
    if remove:
        steps = list(stores.remove(home=Path.home()))
        if not steps:
            typer.echo("nothing here believes the local authority")
    else:
        try:
            authority.root(now=datetime.now(UTC))
        except CertificateError as error:
            typer.echo(f"daemun: {error}", err=True)
            if error.remedy:
                typer.echo(f"  {error.remedy}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"the local authority: {authority.root_path}")
        steps = list(stores.install(authority.root_path, home=Path.home()))
    for step in steps:
        typer.echo(f"{'done' if step.done else 'not done'}: {step.text}")
        if step.remedy:
            typer.echo(f"  by hand: {step.remedy}")
    if not remove:
        typer.echo(f"without any of this: curl --cacert {authority.root_path} https://localhost:PORT/")
    if not all(step.done for step in steps):
        raise typer.Exit(1)
