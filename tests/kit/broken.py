"""Broken nginx configurations: a file each, what nginx says of it and what we say of it beside it.

    the configuration
    ----
    nginx: what Debian's nginx 1.22 says (`accepted` when it takes it)
    LINE:COLUMN message
        remedy

`python -m tests.kit.broken` writes the second part anew (PYTHONPATH=src:.), with the nginx of this machine.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from daemun.certificates.files import look_at
from daemun.errors import Problem
from daemun.nginx.check import check

FOLDER = Path(__file__).parents[1] / "unit" / "nginx" / "broken"
DASHES = "----\n"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One file."""

    name: str
    text: str
    nginx: str
    ours: str


def broken() -> list[Broken]:
    """Return every file."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def read(path: Path) -> Broken:
    """Take a file apart."""
    text, _, said = path.read_text(encoding="utf-8").partition(DASHES)
    nginx, _, ours = said.partition("\n")
    return Broken(name=path.stem, text=text, nginx=nginx.removeprefix("nginx: "), ours=ours)


def ours(text: str) -> str:
    """Return what `daemun check` says, in the form of the files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nginx.conf"
        path.write_text(text, encoding="utf-8")
        return "".join(_shown(check(path, look=look_at), folder))


def nginxs(text: str) -> str:
    """Return what the nginx of this machine says first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nginx.conf"
        path.write_text(text, encoding="utf-8")
        command = ["nginx", "-t", "-q", "-e", "/dev/null", "-p", folder, "-c", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.replace(f"{folder}/", "").splitlines() if "[emerg]" in line]
    return re.sub(r"^.*?\[emerg\] (\d+#\d+: )?", "", said[0]) if said else "accepted"


def _shown(problems: Iterable[Problem], folder: str) -> Iterable[str]:
    for problem in problems:
        place = problem.place
        where = "" if place is None else f"{place.line}:{place.column} "
        advice = problem.remedy or (problem.suggestion and f"did you mean {problem.suggestion}?")
        yield f"{where}{problem.message}\n    {advice}\n".replace(f"{folder}/", "")


def write() -> None:
    """Write what is said of each file anew."""
    for path in sorted(FOLDER.glob("*.txt")):
        text = read(path).text
        path.write_text(f"{text}{DASHES}nginx: {nginxs(text)}\n{ours(text)}", encoding="utf-8")


if __name__ == "__main__":
    write()
