"""`daemun version`: which command, which engine, which Python."""

from __future__ import annotations

import typer

from daemun.version import installed_version


def version() -> None:
    """Print the versions of the command and of the engine it would start."""
    import platform
    import subprocess

    from daemun.engine.locate import find_engine
    from daemun.errors import EngineError

    typer.echo(f"daemun {_version()}")
    try:
        engine = find_engine()
        said = subprocess.run([str(engine), "--version"], capture_output=True, text=True, check=True, timeout=10)
        typer.echo(f"{said.stdout.strip()} ({engine})")
    except (EngineError, OSError, subprocess.SubprocessError) as error:
        typer.echo(f"no engine: {error}")
    typer.echo(f"Python {platform.python_version()}")


def print_version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    """Answer `--version`."""
    if asked:
        typer.echo(f"daemun {_version()}")
        raise typer.Exit


def _version() -> str:
    return installed_version() or "of a checkout that is not installed"
