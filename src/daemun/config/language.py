"""Which language a configuration file is in: told by its content, here and nowhere else.

Facts: a line of TOML is `[section]` or `key = value`, one of YAML `key: value` or `- item`, JSON begins with a brace;
a statement of nginx ends in `;` or opens a block with `{`. Decision: the first line that is no comment decides; a file
without one is in Traefik's language unless its name ends in `.conf`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

_TOML_OR_YAML = re.compile(r"""\[|\{|-\s|---|%|(?:[\w.-]+|"[^"]*"|'[^']*')\s*(?:=|:(?:\s|$))""")
# A file that has nothing but comments for so long is read no further.
_MOST_BYTES = 1_048_576


class Language(StrEnum):
    """A configuration language."""

    TRAEFIK = "traefik"
    NGINX = "nginx"


def language_of(path: Path) -> Language:
    """Return the language of a file; Traefik's when it cannot be read, for its reader says why."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return Language.NGINX if path.suffix == ".conf" else Language.TRAEFIK
    return language_of_text(text, name=path.name)


def language_of_text(text: str, *, name: str) -> Language:
    """Return the language of a text; `name` is the file's, for a text that says nothing."""
    for line in text.splitlines():
        said = line.strip()
        if said and not said.startswith("#"):
            return Language.TRAEFIK if _TOML_OR_YAML.match(said) else Language.NGINX
    return Language.NGINX if name.endswith(".conf") else Language.TRAEFIK
