"""`daemun certs`: the certificates of the running instance that resolvers obtain; `daemun certs renew NAME`.

What is shown is what the instance last wrote into its state directory; a renewal is asked of it over its commands.sock.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemun.cli.run import STATE_DIR

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

certs = typer.Typer(name="certs", invoke_without_command=True)

_RENEW = "/certificates/renew"
_PATIENCE = 10.0
_COLOURS = {"valid": "green", "ordering": "blue", "waiting": "yellow", "expired": "red", "kept": "dim"}


@certs.callback()
def show(
    context: typer.Context,
    state_dir: Annotated[Path | None, STATE_DIR] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything that is known, as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Show the certificates that resolvers obtain.

    Names, issuer, expiry, next renewal, and what went wrong last: what the authority said, and what to do. Ends with 1
    when there is nothing to show, or a wanted certificate is missing or expired.
    """
    context.obj = state_dir
    if context.invoked_subcommand is not None:
        return
    import json

    from daemun.acme import status
    from daemun.engine.state import default_state_dir

    path = (state_dir or default_state_dir()) / status.FILE
    try:
        content = status.read(path)
    except (OSError, ValueError) as error:
        typer.echo(f"daemun: {path} cannot be read: {error}", err=True)
        raise typer.Exit(1) from None
    if content is None:
        typer.echo(f"daemun: no certificate resolver runs with the state directory {path.parent}", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print(content)
    if any(row["not_after"] is None or row["state"] == "expired" for row in content["certificates"]):
        raise typer.Exit(1)


@certs.command()
def renew(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name that the certificate serves, or its id.")],
    new_key: Annotated[bool, typer.Option("--new-key", help="With a new private key; else the key stays.")] = False,  # noqa: FBT002
    state_dir: Annotated[Path | None, STATE_DIR] = None,
) -> None:
    """Renew a certificate now, or try again at once what failed."""
    from daemun.engine.state import StateDir, default_state_dir

    state = StateDir(state_dir or context.obj or default_state_dir())
    try:
        status, answer = _post(state.commands_socket, _RENEW, {"name": name, "new_key": new_key})
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        typer.echo(
            f"daemun: no instance with a certificate resolver answers at {state.commands_socket}: {reason}", err=True
        )
        raise typer.Exit(1) from None
    if status != 202:
        typer.echo(f"daemun: {answer.get('error', f'the instance answers {status}')}", err=True)
        raise typer.Exit(1)
    for identity in answer["certificates"]:
        typer.echo(f"ordered for {name}: {identity}")
    typer.echo("`daemun certs` shows how it went")


def _post(socket_path: Path, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return status and body of the running instance's answer. Raises OSError, ValueError."""
    import http.client
    import json
    import socket

    connection = http.client.HTTPConnection("daemun", timeout=_PATIENCE)
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(_PATIENCE)
        connection.sock.connect(str(socket_path))
        connection.request("POST", path, body=json.dumps(body), headers={"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except http.client.HTTPException as error:
        raise ValueError(f"it does not speak HTTP: {error!r}") from None
    finally:
        connection.close()


def _print(content: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, now = Console(highlight=False), datetime.now(UTC)
    table = Table(box=None, pad_edge=False)
    for heading in ("names", "state", "resolver", "issuer", "expires", "next renewal"):
        # A name is copied from here; whatever else may be folded.
        table.add_column(heading, overflow="fold", no_wrap=heading == "names")
    for row in content["certificates"]:
        table.add_row(
            Text("\n".join(row["names"])),
            Text(row["state"], style=_COLOURS.get(row["state"], "")),
            Text(row["resolver"]),
            Text(row["issuer"]),
            _moment(row["not_after"], now),
            _next(row, now),
        )
    if content["certificates"]:
        console.print(table)
    else:
        console.print("no router wants a certificate of a resolver")
    for row in content["certificates"]:
        _print_trouble(console, row, now)
    for problem in content["problems"]:
        console.print(Text.assemble(("\nerror: ", "bold red"), problem), soft_wrap=True)


def _next(row: dict[str, Any], now: datetime) -> str:
    if row["state"] == "kept":
        return "no router wants it"
    if row["renewal"] is None:
        return ""
    by = "as the authority suggests" if row["renewal_by"] == "ari" else ""
    return "\n".join(filter(None, (_moment(row["renewal"], now), by)))


def _print_trouble(console: Console, row: dict[str, Any], now: datetime) -> None:
    from rich.text import Text

    trouble = row["trouble"]
    if trouble is None and not row["warnings"]:
        return
    where = f" ({row['wanted_by']} at {row['wanted_at']})" if row["wanted_at"] else ""
    lines: list[str | tuple[str, str]] = [("\n" + ", ".join(row["names"]), "bold"), where]
    if trouble is not None:
        tries = "once" if trouble["tries"] == 1 else f"{trouble['tries']} times in a row"
        lines += [f"\n  {trouble['message']}"]
        lines += [f"\n  {trouble['advice']}"] if trouble["advice"] else []
        lines += [f"\n  failed {tries}; the next try is {_moment(trouble['next'], now)}"]
    lines += [f"\n  seen from here: {warning}" for warning in row["warnings"]]
    console.print(Text.assemble(*lines), soft_wrap=True)


def _moment(text: str | None, now: datetime) -> str:
    """Return a moment as people read it: the local date and time, and how far away it is."""
    from datetime import datetime

    if text is None:
        return ""
    moment = datetime.fromisoformat(text)
    seconds = (moment - now).total_seconds()
    away = abs(seconds)
    size, unit = next((s, u) for s, u in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")) if away >= s or s == 1)
    number = f"{away / size:.0f} {unit}"
    return f"{moment.astimezone():%Y-%m-%d %H:%M} ({f'in {number}' if seconds >= 0 else f'{number} ago'})"
