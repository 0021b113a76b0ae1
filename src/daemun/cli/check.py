"""`daemun check`: everything wrong with configuration files, at once and with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemun.cli.run import ACME_EMAIL

if TYPE_CHECKING:
    from daemun.errors import Problem
    from daemun.traefik.dynamic import Dynamic
    from daemun.traefik.static import Static


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Traefik's static or dynamic files (TOML or YAML), or an nginx.conf."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,  # noqa: FBT002
    verbose: Annotated[  # noqa: FBT002 - typer's way
        bool, typer.Option("--verbose", "-v", help="Say too which directives of nginx have no effect here.")
    ] = False,
    acme_email: Annotated[str | None, ACME_EMAIL] = None,
) -> None:
    """Say everything that is wrong with these files.

    Each problem with its file, line and column, what was found and what was meant. Ends with 1 when there is an
    error, with 0 when there are only warnings.
    """
    import json

    from daemun.errors import problem_as_dict

    problems = _problems(files, verbose=verbose, acme_email=acme_email)
    if as_json:
        typer.echo(json.dumps([problem_as_dict(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        _print(problems, files=len(files))
    if any(problem.is_error for problem in problems):
        raise typer.Exit(1)


def _problems(files: list[Path], *, verbose: bool, acme_email: str | None) -> list[Problem]:
    """Return what is wrong with each nginx configuration, and with the files of Traefik's language together."""
    from daemun.certificates.files import look_at
    from daemun.config.language import Language, language_of
    from daemun.nginx.certificates import Resolver
    from daemun.nginx.check import check as check_nginx
    from daemun.traefik.check import check as check_traefik

    acme = None if acme_email is None else Resolver(email=acme_email)
    problems: list[Problem] = []
    others = [path for path in files if language_of(path) is not Language.NGINX]
    for path in files:
        if path not in others:
            problems.extend(check_nginx(path, acme=acme, with_idle=verbose, look=look_at))
    if others:
        problems.extend(check_traefik(others, look=_look))
    return problems


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


def _print(problems: list[Problem], *, files: int) -> None:
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
    what = f"{files} file" + ("s" if files != 1 else "")
    if errors or warnings:
        console.print(f"{what}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    else:
        console.print(f"{what}: nothing wrong", style="green")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
