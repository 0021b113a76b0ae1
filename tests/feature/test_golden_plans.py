"""Hand-lowered Plans and the engine: what it cannot run yet it refuses by name, and everything else it runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.engine import binary

GOLDEN = Path(__file__).parents[1] / "golden" / "plan"

#: What each Plan is refused for: (where, the words that name it); None for one that runs.
REFUSED: dict[str, tuple[str, str] | None] = {
    "auth-request": None,
    "error-page-named": None,
    "if-and-set": None,
    "map": None,
    "mirror": None,
    "nested-locations": None,
    "nginx-basic": None,
    "nginx-light": None,
    "prefix-against-regex": None,
    "proxy-pass-uri": None,
    "rewrite-last": None,
    "server-name-captures": None,
    "traefik-dev": None,
    "traefik-prod": None,
    "try-files": None,
}


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.json") if path.stem != "every-type"))
def test_runs_or_is_refused_by_name(name: str, tmp_path: Path) -> None:
    """`daemun-engine --check` accepts the Plan, or names the first thing it cannot run and where it stands."""
    path = GOLDEN / f"{name}.json"
    for certificate, of in json.loads(path.read_text())["certificates"].items():
        Authority().issue(*(of["names"] or ["nobody"])).write(tmp_path, certificate.replace("/", "%2F"))
    command = [str(part) for part in (binary(), "--check", path, "--secrets", tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    expected = REFUSED[name]
    if expected is None:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        where, what = expected
        assert done.returncode == 1
        assert json.loads(done.stderr)["error"] == f"unsupported: {where}: this engine cannot run {what} yet"
