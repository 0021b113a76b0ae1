"""Where the program `daemun-engine` is.

`$DAEMUN_ENGINE` names it; else it lies beside the running Python's `daemun` command, where the wheel puts it; in a
checkout also under engine/target. Of several the one built last is taken: an editable install keeps a copy beside the
command that `cargo build` does not renew.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from daemun.errors import EngineError

NAME = "daemun-engine"
CHECKOUT = Path(__file__).resolve().parents[3]
PROFILES = ("debug", "fast", "release")


def find_engine(*, environ: Mapping[str, str] = os.environ, checkout: Path = CHECKOUT) -> Path:
    """Return the engine's path. Raises EngineError, which says where was looked."""
    named = environ.get("DAEMUN_ENGINE")
    if named:
        if not os.access(named, os.X_OK):
            raise EngineError(f"DAEMUN_ENGINE names {named}, which is no program")
        return Path(named).absolute()
    places = [Path(sys.executable).parent / NAME, Path(sysconfig.get_path("scripts")) / NAME]
    if (checkout / "engine" / "Cargo.toml").is_file():
        places += [checkout / "engine" / "target" / profile / NAME for profile in PROFILES]
    found = [place for place in places if os.access(place, os.X_OK)]
    if not found:
        looked = ", ".join(dict.fromkeys(str(place) for place in places))
        raise EngineError(f"no {NAME} found (looked for {looked}): build it with `make build`, or set DAEMUN_ENGINE")
    return max(found, key=lambda place: place.stat().st_mtime)
