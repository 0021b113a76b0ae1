"""Where a configuration is looked for when none is named: in files, and in variables of the environment.

Files: our own places come first, then Traefik's in its order. Nothing is read here, and little is loaded for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

# The later wins.
PREFIXES = ("TRAEFIK_", "DAEMUN_")
# What the command itself reads (and the tests' kit).
_OWN = frozenset({"DAEMUN_ENGINE", "DAEMUN_DATA_DIR", "DAEMUN_TEST"})
# TRAEFIK_PORT_80_TCP, TRAEFIK_SERVICE_HOST: links that Kubernetes and Docker set for a service of that name.
_LINKS = frozenset({"PORT", "SERVICE"})
_ENDINGS = (".toml", ".yaml", ".yml")


def search_path(environ: Mapping[str, str], *, root: Path = Path("/")) -> tuple[Path, ...]:
    """Return the names that are tried, the first first; relative ones belong to the working directory."""
    return tuple(base.with_name(base.name + ending) for base in _bases(environ, root) for ending in _ENDINGS)


def find_config(environ: Mapping[str, str], *, root: Path = Path("/")) -> Path | None:
    """Return the first configuration file that is there."""
    return next((path for path in search_path(environ, root=root) if _is_there(path)), None)


def option_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the variables that may be options, in the order in which they count."""
    found = (name for prefix in PREFIXES for name in sorted(environ) if name.startswith(prefix))
    return tuple(name for name in found if name not in _OWN and name.split("_")[1].upper() not in _LINKS)


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
