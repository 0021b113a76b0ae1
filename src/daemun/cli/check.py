"""`daemun check`: everything wrong with configuration files, at once and with its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemun.cli.run import ACME_EMAIL
from daemun.cli.static_flags import static_flags

if TYPE_CHECKING:
    from daemun.errors import Problem
    from daemun.traefik.dynamic import Dynamic
    from daemun.traefik.static import Static


def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE…]",
            help="Traefik's static or dynamic files (TOML or YAML), or an nginx.conf; else what `daemun run` would read.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,  # noqa: FBT002
    verbose: Annotated[  # noqa: FBT002 - typer's way
        bool, typer.Option("--verbose", "-v", help="Say too which directives of nginx have no effect here.")
    ] = False,
    acme_email: Annotated[str | None, ACME_EMAIL] = None,
) -> None:
    """Say everything that is wrong with a configuration: files, flags, the environment.

    Takes the same flags and variables as [bold]daemun run[/bold]. Each problem with its file, line and column, what was found and what was meant. Ends with 1 when there is an
    error, with 0 when there are only warnings.
    """
    import json

    from daemun.config.search import find_config
    from daemun.errors import problem_as_dict

    found = find_config(os.environ) if not files else None
    paths = [found] if found is not None else files or []
    flags = static_flags(context)
    problems = _problems(paths, flags=flags, verbose=verbose, acme_email=acme_email)
    if as_json:
        typer.echo(json.dumps([problem_as_dict(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        _print(problems, what=str(found) if found is not None else _what(paths))
    if any(problem.is_error for problem in problems):
        raise typer.Exit(1)


def _problems(files: list[Path], *, flags: tuple[str, ...], verbose: bool, acme_email: str | None) -> list[Problem]:
    """Return what is wrong with each nginx configuration, and with the files of Traefik's language together."""
    from daemun.certificates.files import look_at
    from daemun.config.flags import misplaced_flags
    from daemun.config.language import Language, language_of
    from daemun.nginx.certificates import Resolver
    from daemun.nginx.check import check as check_nginx
    from daemun.run.options import OWN_FLAGS
    from daemun.traefik.check import check as check_traefik
    from daemun.traefik.sources import StaticSources

    acme = None if acme_email is None else Resolver(email=acme_email)
    problems: list[Problem] = []
    others = [path for path in files if language_of(path) is not Language.NGINX]
    for path in files:
        if path not in others:
            problems.extend(check_nginx(path, acme=acme, with_idle=verbose, look=look_at))
    if files and not others:
        return [*(misplaced_flags(flags, path) for path in files[:1] if flags), *problems]
    sources = StaticSources(file=None, flags=flags, environ=os.environ, own=OWN_FLAGS)
    return [*problems, *check_traefik(others, sources=sources, look=_look)]


def _look(static: Static, dynamic: Dynamic) -> list[Problem]:
    """Look at what a configuration leads to: certificates, and the ways to Docker engines."""
    from daemun.certificates.files import look_at
    from daemun.traefik.certificate_needs import certificate_needs

    problems = look_at(certificate_needs(static, dynamic)[0])
    if static.providers.docker is not None:
        from daemun.providers.docker.check import docker_problems

        beside = Path(static.origin_file) if static.origin_file else None
        problems = [*problems, *docker_problems(static, beside=beside)]
    return problems


def _what(paths: list[Path]) -> str:
    if not paths:
        return "flags and environment"
    return f"{len(paths)} file" + ("s" if len(paths) != 1 else "")


def _print(problems: list[Problem], *, what: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from daemun.errors import render_problem

    console = Console(soft_wrap=True, highlight=False)
    colours = {"error": "red", "warning": "yellow", "info": "blue"}
    for problem in problems:
        text = Text(render_problem(problem))
        text.highlight_words([f"{problem.severity}:"], style=f"bold {colours[problem.severity]}")
        text.highlight_regex(r"(?m)^ +\^+$", style="bold green")
        console.print(text)
    errors = sum(problem.is_error for problem in problems)
    warnings = sum(problem.severity == "warning" for problem in problems)
    if errors or warnings:
        console.print(f"{what}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    else:
        console.print(f"{what}: nothing wrong", style="green")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
