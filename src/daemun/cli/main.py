"""The command's entrance.

`daemun nginx …`, and this program under the name `nginx`, go straight to nginx's command line: neither typer nor the
other commands are loaded, and the process that serves is this very one, with the pid its starter knows.

Without a command it is `run`, as Traefik has it: `daemun --providers.docker=true`. A word `traefik` before the rest is
passed over, for that is how images are started.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_OF_NO_COMMAND = frozenset({"--help", "-h", "--version", "--install-completion", "--show-completion"})


def main() -> None:
    """Run the command line."""
    words = sys.argv[1:]
    if Path(sys.argv[0]).name == "nginx":
        sys.exit(_nginx(words))
    if words[:1] == ["nginx"]:
        sys.exit(_nginx(words[1:]))
    from daemun.cli.commands import app

    app(args=with_command(words), prog_name="daemun")


def with_command(words: list[str]) -> list[str]:
    """Return the words with the command that they mean; none at all is asking for help, if a person asks."""
    words = words[1:] if words[:1] == ["traefik"] else words
    if "_DAEMUN_COMPLETE" in os.environ:
        return words
    if words:
        alone = not words[0].startswith("-") or words[0] in _OF_NO_COMMAND
        return words if alone else ["run", *words]
    return [] if sys.stdin.isatty() and not _is_configured() else ["run"]


def _is_configured() -> bool:
    from daemun.config.search import find_config, option_variables

    return bool(option_variables(os.environ)) or find_config(os.environ) is not None


def _nginx(words: list[str]) -> int:
    # structlog loads rich for tracebacks we never print: 4 MB that this process would keep for ever.
    sys.modules["rich"] = None  # type: ignore[assignment]
    from daemun.run.drop_in.command import nginx

    return nginx(words)
