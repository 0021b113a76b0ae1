"""`daemun demo`: three FastAPI instances and Daemun in front of them, to look at and to stop with Ctrl-C.

    demo ──► 3 uvicorns, examples/demo/app.py      (each on a socket bound here, so no port is guessed)
         └─► python -m daemun.run (as `daemun proxy`) ──► engine

Everything started here is ended here, whatever happens. Nothing is special about the gate: it is `daemun proxy`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from daemun.cli.demo_processes import Demo

_PORT, _TLS_PORT = 8000, 8443


def demo(
    port: Annotated[int | None, typer.Option(help="Where Daemun listens; 8000, or a free port if it is taken.")] = None,
    instances: Annotated[int, typer.Option(min=1, max=20, help="How many FastAPI instances.")] = 3,
) -> None:
    """Show a gate at work: FastAPI instances behind Daemun on this machine.

    Prints what to try and asks /client-info through the gate. Ctrl-C stops all of it.
    """
    from daemun.cli.demo_processes import Demo
    from daemun.errors import EngineError

    try:
        chosen = _PORT if port is None else port
        with Demo(port=chosen, tls_port=_TLS_PORT, fixed=port is not None, instances=instances) as running:
            if running.is_up:  # else Ctrl-C came first
                _show(running)
                running.wait()
            typer.echo("stopping…")
    except EngineError as error:
        typer.echo(f"daemun: {error}", err=True)
        raise typer.Exit(1) from None
    if not running.clean:
        raise typer.Exit(1)
    typer.echo("everything has stopped")


def _show(running: Demo) -> None:
    import json
    import urllib.request

    from rich import box
    from rich.console import Console
    from rich.table import Table

    url = running.url
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("try", no_wrap=True)
    table.add_column("and see")
    table.add_row(f"curl {url}/", f"{len(running.addresses)} instances answer in turn")
    table.add_row(f"curl {url}/client-info", "the application sees your address and protocol")
    table.add_row(f"curl -N {url}/events", "events come at once, one a second")
    table.add_row(f"python -m websockets {url.replace('http', 'ws', 1)}/ws", "a WebSocket that repeats what you say")
    table.add_row("kill an instance (see below)", "no request fails")
    console.print(f"[bold]Daemun listens at {url} and {running.secure_url}[/bold]")
    console.print(table)
    # Too long for a column of a usual terminal, where it would be cut.
    console.print("the same over https, by a certificate of your own local authority:")
    console.print(f"curl --cacert {running.root} {running.secure_url}/client-info")
    console.print("for a browser without a warning: daemun trust (and daemun trust --remove takes it back)")
    console.print(f"instances: {running.describe()}")
    console.print(f"which router takes a request: daemun explain {url}/ --state-dir {running.state_dir}")
    with urllib.request.urlopen(f"{url}/client-info", timeout=10) as answer:  # noqa: S310 - our own address
        console.print(f"GET {url}/client-info → {answer.status} {json.dumps(json.load(answer))}")
    console.print("Ctrl-C stops everything.")
