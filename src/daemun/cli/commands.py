"""The commands by name, in the order in which people meet them; main.py is the entrance."""

from __future__ import annotations

import typer

from daemun.cli.certs import certs
from daemun.cli.check import check
from daemun.cli.demo import demo
from daemun.cli.explain import explain
from daemun.cli.nginx import nginx
from daemun.cli.ping import ping
from daemun.cli.proxy import proxy
from daemun.cli.run import run
from daemun.cli.static_flags import WithStaticFlags
from daemun.cli.trust import trust
from daemun.cli.version import print_version, version

app = typer.Typer(
    name="daemun",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    suggest_commands=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel="Run", cls=WithStaticFlags)(run)
app.command(rich_help_panel="Run")(proxy)
app.command(rich_help_panel="Run")(demo)
app.command(rich_help_panel="Run", context_settings={"ignore_unknown_options": True, "help_option_names": []})(nginx)
app.command(rich_help_panel="Run")(trust)
app.add_typer(certs, rich_help_panel="Ask")
app.command(rich_help_panel="Ask", cls=WithStaticFlags)(check)
app.command(rich_help_panel="Ask", cls=WithStaticFlags)(ping)
# What Traefik calls it.
app.command("healthcheck", hidden=True, cls=WithStaticFlags)(ping)
app.command(rich_help_panel="Ask")(explain)
app.command(rich_help_panel="Ask")(version)


@app.callback()
def daemun(
    *,
    show_version: bool = typer.Option(
        False, "--version", help="Print the version and end.", callback=print_version, is_eager=True
    ),
) -> None:
    """A reverse proxy that reads the configuration you already have.

    Start with [bold]daemun proxy --to http://127.0.0.1:8000[/bold] (no file at all), with
    [bold]daemun run --config FILE[/bold] (Traefik's language), or look at [bold]daemun demo[/bold].
    Flags of Traefik without a command run it: [bold]daemun --providers.docker=true[/bold].
    """
