"""The static configuration from everything that says something of it: flags, environment, file.

    command line ─ flags.py ─────┐
    environment ── variables.py ─┼─ layers.py ─► one Document ─► build_static ─► Static
    file ───────── read.py ──────┘

They add up, the flag over the variable, the variable over the file (in Traefik they exclude each other). The file is
read again each time; flags and environment are those of the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from daemun.config.document import Document, Spot
from daemun.config.layers import laid_over, spelled_like
from daemun.config.read import read_file
from daemun.config.search import option_variables, search_path
from daemun.errors import ConfigError, Place, Problem
from daemun.traefik.read import build_static
from daemun.traefik.static import Static

NOWHERE = "static configuration"
_Said = tuple[Document, tuple[Problem, ...]]


@dataclass(frozen=True, kw_only=True)
class StaticSources:
    """What a process was started with: its file, its flags as words, its environment.

    `own` are flags of the command that are none of the configuration's, for whoever mistypes one.
    """

    file: Path | None
    flags: tuple[str, ...] = field(default=(), repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    own: tuple[str, ...] = ()

    @property
    def say_something(self) -> bool:
        """Tell whether there is anything to be read."""
        return self.file is not None or bool(self.flags) or bool(option_variables(self.environ))

    def load(self) -> tuple[Static, list[Problem]]:
        """Read everything. Raises ConfigError with every Problem when one of them is an error."""
        static, problems = self.build(self.over(self.base()))
        if static is None or any(problem.is_error for problem in problems):
            raise ConfigError(problems=problems)
        return static, problems

    def base(self) -> Document:
        """Return what the file says, or no file. Raises ConfigError when nothing says anything."""
        if not self.say_something:
            raise ConfigError(problems=[_nothing(self.environ)])
        return nothing_said() if self.file is None else read_file(self.file)

    def over(self, document: Document) -> Document:
        """Return a file's document with environment and flags laid over it."""
        variables, flags = self._variables[0], self._flags[0]
        return laid_over(document, spelled_like(variables, flags), flags)

    def build(self, document: Document) -> tuple[Static | None, list[Problem]]:
        """Return the static configuration of a document, None when it has an error, and every Problem."""
        given = (*self._variables[1], *self._flags[1])
        static, found = build_static(document)
        if any(problem.is_error for problem in given):
            # What a mistyped name was meant to say is not missing.
            found = [problem for problem in found if problem.kind != "missing"]
        return static, [*given, *found]

    # What reads flags and variables is loaded only when there are any.

    @cached_property
    def _flags(self) -> _Said:
        if not self.flags:
            return nothing_said(), ()
        from daemun.config.flags import read_flags

        flags = read_flags(self.flags, Static, own=self.own)
        return flags.document, (*flags.problems, *map(_no_flag, flags.rest))

    @cached_property
    def _variables(self) -> _Said:
        if not option_variables(self.environ):
            return nothing_said(), ()
        from daemun.config.variables import read_variables

        return read_variables(self.environ, Static)


def nothing_said() -> Document:
    """Return the document of no file."""
    return Document(file=NOWHERE, text="", data={}, spots=lambda: Spot(line=-1, column=-1))


def _no_flag(word: str) -> Problem:
    return Problem(
        severity="error",
        kind="syntax",
        message=f"{word!r} is no flag",
        place=Place(file=word),
        found=word,
        remedy="flags begin with --, as --entrypoints.web.address=:80; a file is named by --config",
    )


def _nothing(environ: Mapping[str, str]) -> Problem:
    looked = ", ".join(str(path) for path in search_path(environ) if path.suffix == ".toml")
    return Problem(
        severity="error",
        kind="missing",
        message="nothing is configured: there is no file, no flag and no variable",
        remedy="name a file with --config, or give flags such as --providers.docker=true "
        f"--entrypoints.web.address=:80\n  files looked for: {looked} (and .yaml, .yml)",
    )
