"""Where a configuration file is looked for when none is named: our own places, then Traefik's in Traefik's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

_ENDINGS = (".toml", ".yaml", ".yml")


def search_path(environ: Mapping[str, str], *, root: Path = Path("/")) -> tuple[Path, ...]:
    """Return the names that are tried, the first first; relative ones belong to the working directory."""
    return tuple(base.with_name(base.name + ending) for base in _bases(environ, root) for ending in _ENDINGS)


def find_config(environ: Mapping[str, str], *, root: Path = Path("/")) -> Path | None:
    """Return the first configuration file that is there."""
    return next((path for path in search_path(environ, root=root) if _is_there(path)), None)


def _bases(environ: Mapping[str, str], root: Path) -> Iterator[Path]:
    user = [Path(environ["XDG_CONFIG_HOME"])] if environ.get("XDG_CONFIG_HOME") else []
    user += [Path(environ["HOME"]) / ".config"] if environ.get("HOME") else []
    yield Path("daemun")
    yield from (directory / "daemun" / "daemun" for directory in user)
    yield root / "etc" / "daemun" / "daemun"
    yield root / "etc" / "traefik" / "traefik"
    yield from (directory / "traefik" for directory in user)
    yield Path("traefik")


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a directory that is not ours to look into
        return False
