"""The command's entrance.

`daemun nginx …`, and this program under the name `nginx`, go straight to nginx's command line: neither typer nor the
other commands are loaded, and the process that serves is this very one, with the pid its starter knows.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the command line."""
    words = sys.argv[1:]
    if Path(sys.argv[0]).name == "nginx":
        sys.exit(_nginx(words))
    if words[:1] == ["nginx"]:
        sys.exit(_nginx(words[1:]))
    from daemun.cli.commands import app

    app(prog_name="daemun")


def _nginx(words: list[str]) -> int:
    # structlog loads rich for tracebacks we never print: 4 MB that this process would keep for ever.
    sys.modules["rich"] = None  # type: ignore[assignment]
    from daemun.run.drop_in.command import nginx

    return nginx(words)
