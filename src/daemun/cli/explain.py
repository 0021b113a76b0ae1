"""`daemun explain`: which router of the running instance takes a request, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemun.cli.run import STATE_DIR

if TYPE_CHECKING:
    from daemun.engine.frames import Json


def explain(
    url: Annotated[str, typer.Argument(help="The request's URL, such as http://example.org/api?x=1")],
    method: Annotated[str, typer.Option("--method", "-X", help="The request's method.")] = "GET",
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="A field, 'Name: value'.")] = None,
    entry_point: Annotated[str | None, typer.Option(help="The entry point; else found by the URL's port.")] = None,
    client_ip: Annotated[str, typer.Option(help="The client's address.")] = "127.0.0.1",
    state_dir: Annotated[Path | None, STATE_DIR] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the engine's answer.")] = False,  # noqa: FBT002
) -> None:
    """Say which router would take a request. Nothing is sent to a server."""
    import asyncio
    import json

    from daemun.engine.state import StateDir, default_state_dir
    from daemun.errors import EngineError

    state = StateDir(state_dir or default_state_dir())
    try:
        request = _request(url, method=method, headers=header or [], client_ip=client_ip)
        answer = asyncio.run(_ask(state.control_socket, request, entry_point, url))
    except EngineError as error:
        typer.echo(f"daemun: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _print(answer)
    if answer.get("route") is None:
        raise typer.Exit(1)


def _request(url: str, *, method: str, headers: list[str], client_ip: str) -> dict[str, Json]:
    from urllib.parse import urlsplit

    parts = urlsplit(url if "://" in url else f"http://{url}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pairs: list[Json] = []
    for line in headers:
        name, colon, value = line.partition(":")
        if not colon:
            raise typer.BadParameter(f"{line!r} is no field: write 'Name: value'")
        pairs.append([name.strip(), value.strip()])
    return {
        "method": method.upper(),
        "target": target,
        "host": parts.netloc.rpartition("@")[2],
        "headers": pairs,
        "client_ip": client_ip,
        "tls": parts.scheme == "https",
    }


async def _ask(socket: Path, request: dict[str, Json], entry_point: str | None, url: str) -> dict[str, Json]:
    from daemun.engine.client import connect

    async with await connect(socket, patience=5.0) as engine:
        if entry_point is None:
            entry_point = _listener((await engine.call("stats")).get("listeners"), url)
        return await engine.call("explain", listener=entry_point, **request)


def _listener(listeners: Json, url: str) -> str:
    """Find the listener of the URL's port, or the only one."""
    from urllib.parse import urlsplit

    from daemun.errors import EngineError

    named = listeners if isinstance(listeners, dict) else {}
    parts = urlsplit(url if "://" in url else f"http://{url}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = {name: str(said.get("address")) if isinstance(said, dict) else "" for name, said in named.items()}
    for name, address in addresses.items():
        if address.endswith(f":{port}"):
            return name
    if len(addresses) == 1:
        return next(iter(addresses))
    known = ", ".join(f"{name} ({address})" for name, address in addresses.items()) or "none"
    raise EngineError(f"no entry point has the port {port}: name one with --entry-point (there are: {known})")


def _print(answer: dict[str, Json]) -> None:
    from rich.console import Console
    from rich.table import Table

    if answer.get("route") is None:
        Console().print("No router takes it: [bold]404[/bold].")
        return
    origin = answer.get("origin")
    table = Table(show_header=False, box=None)
    table.add_row("router", str(answer.get("route")))
    if isinstance(origin, dict) and origin.get("file"):
        line = f":{origin['line']}" if origin.get("line") else ""  # a flag has none
        table.add_row("written at", f"{origin['file']}{line}")
    for label, key in (("service", "service"), ("path upstream", "path"), ("Host", "host")):
        if answer.get(key):
            table.add_row(label, str(answer[key]))
    Console().print(table)
