"""A command that takes the flags of Traefik's static configuration beside options of its own.

What begins with a dash and is none of the command's options is a flag of the configuration, whatever it is called:
whoever knows the options says whether it is one. `static_flags` returns these words in their order. Options of the
command stand before and after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from typer._click.core import Context

_KEY = "daemun.flags"


def static_flags(context: typer.Context) -> tuple[str, ...]:
    """Return the words that are no options of the command itself."""
    words: tuple[str, ...] = context.meta.get(_KEY, ())
    return words


class WithStaticFlags(TyperCommand):
    """A command whose other words are flags of the static configuration, with their values."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Set aside what belongs to the configuration; the rest is parsed as ever."""
        own, others = self._split(ctx, args)
        positional: tuple[str, ...] = ()
        if any(parameter.param_type_name == "argument" for parameter in self.params):
            others, positional = _apart(others)
        ctx.meta[_KEY] = tuple(others)
        return super().parse_args(ctx, [*own, "--", *positional])

    def _split(self, ctx: Context, args: list[str]) -> tuple[list[str], Sequence[str]]:
        takes: dict[str, bool] = dict.fromkeys(ctx.help_option_names, False)
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "option":
                valueless = bool(getattr(parameter, "is_flag", False))
                takes |= dict.fromkeys((*parameter.opts, *parameter.secondary_opts), not valueless)
        own: list[str] = []
        others: list[str] = []
        left = list(args)
        while left:
            word = left.pop(0)
            name, equals, _ = word.partition("=")
            if name not in takes:
                others.append(word)
                continue
            own.append(word)
            if takes[name] and not equals and left:
                own.append(left.pop(0))
        return own, others


def _apart(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the flags with their values, and the other words."""
    from daemun.config.flags import read_flags
    from daemun.traefik.static import Static

    flags = read_flags(words, Static)
    return flags.words, flags.rest
