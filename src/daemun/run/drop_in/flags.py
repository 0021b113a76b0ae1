"""nginx's command line: words to Flags, as its own reader takes them (`-tq`, `-cfile`, `-c file`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIGNALS = ("stop", "quit", "reopen", "reload")
_VALUED = {
    "p": "directory name",
    "e": "file name",
    "c": "file name",
    "g": "parameter",
    "s": "parameter",
}
_SWITCHES = "?hvVtTq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What was asked for. `given` are the directives of `-g`; None stands for a flag that is not there."""

    help: bool = False
    version: bool = False
    configure: bool = False
    test: bool = False
    dump: bool = False
    quiet: bool = False
    signal: str | None = None
    prefix: str | None = None
    error_log: str | None = None
    config: str | None = None
    given: str = ""


class WrongFlags(Exception):
    """The words are not nginx's; the text is what nginx says."""


def read_flags(words: Sequence[str]) -> Flags:
    """Return what the words ask for. Raises WrongFlags."""
    seen: set[str] = set()
    values: dict[str, str] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            raise WrongFlags(f'invalid option: "{word}"')
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in _SWITCHES:
                seen.add(letter)
                continue
            if letter not in _VALUED:
                raise WrongFlags(f'invalid option: "{letter}"')
            if not letters and not left:
                raise WrongFlags(f'option "-{letter}" requires {_VALUED[letter]}')
            values[letter] = letters or left.pop(0)
            if letter == "s" and values["s"] not in SIGNALS:
                raise WrongFlags(f'invalid option: "-s {values["s"]}"')
            break
    return Flags(
        help=bool(seen & {"?", "h"}),
        version=bool(seen & {"?", "h", "v", "V"}),
        configure="V" in seen,
        test=bool(seen & {"t", "T"}),
        dump="T" in seen,
        quiet="q" in seen,
        signal=values.get("s"),
        prefix=values.get("p"),
        error_log=values.get("e"),
        config=values.get("c"),
        given=values.get("g", ""),
    )
