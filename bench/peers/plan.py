"""Plans for the engine alone: files in Traefik's language, lowered by Daemun's own control plane.

So the engine is measured with the very Plan a user gets from these files. What the control plane cannot
serve of them would falsify the figures, and is an error here.
"""

from collections.abc import Sequence
from pathlib import Path

from bench import machine
from bench.errors import BenchError, Unavailable
from bench.peers import traefik_files
from bench.peers.running import Address

FORWARDED_SERVER = "bench"
"""The value of X-Forwarded-Server, the machine's name otherwise."""


def write(folder: Path, servers: Sequence[Address], rules: Sequence[str]) -> Path:
    """Writes both files and their Plan into `folder`; returns the Plan's file."""
    try:
        from daemun.errors import DaemunError
        from daemun.plan.plan import to_json
        from daemun.traefik.lower import lower
        from daemun.traefik.read import load_dynamic, load_static
    except ImportError as error:
        raise Unavailable(f"Daemun is not installed beside this Python ({error}): `make build`") from error
    folder.mkdir(parents=True, exist_ok=True)
    dynamic_file = folder / "dynamic.yml"
    dynamic_file.write_text(traefik_files.dynamic(servers, rules))
    static_file = traefik_files.static(folder, ("127.0.0.1", machine.free_port()), dynamic_file)
    try:
        static, said = load_static(static_file)
        dynamic, also = load_dynamic([dynamic_file])
    except DaemunError as error:
        raise BenchError(f"the control plane refuses {folder}: {error}") from error
    plan, besides = lower(static, dynamic, hostname=FORWARDED_SERVER)
    if problems := [*said, *also, *besides]:
        raise BenchError(f"the control plane does not serve all of {folder}: {problems[0].message}")
    file = folder / "plan.json"
    file.write_bytes(to_json(plan))
    return file
