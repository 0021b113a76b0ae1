"""Plans for the engine alone: files in Traefik's language, lowered by Daemun's own control plane.

So the engine is measured with the very Plan a user gets from these files. What the control plane cannot
serve of them would falsify the figures, and is an error here.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine
from bench.errors import BenchError, Unavailable
from bench.peers import traefik_files
from bench.peers.running import Address, Certificate

FORWARDED_SERVER = "bench"
"""The value of X-Forwarded-Server, the machine's name otherwise."""
IDLE = 1024
"""Idle connections to a server; 512 streams are served at once."""


def write(
    folder: Path, servers: Sequence[Address], rules: Sequence[str], *, certificate: Certificate | None = None
) -> Path:
    """Writes both files and their Plan into `folder`; returns the Plan's file. What is secret stands beside it."""
    return write_dynamic(folder, traefik_files.dynamic(servers, rules), certificate=certificate)


def write_dynamic(folder: Path, text: str, *, certificate: Certificate | None = None) -> Path:
    """The same of a dynamic file."""
    try:
        from daemun.errors import DaemunError
        from daemun.plan.plan import to_json
        from daemun.traefik.lower import lower
        from daemun.traefik.read import load_dynamic, load_static
    except ImportError as error:
        raise Unavailable(f"Daemun is not installed beside this Python ({error}): `make build`") from error
    folder.mkdir(parents=True, exist_ok=True)
    dynamic_file = folder / "dynamic.yml"
    dynamic_file.write_text(text)
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
    raw = _pooled(json.loads(to_json(plan)))
    file.write_text(json.dumps(_secured(raw) if certificate is not None else raw))
    if certificate is not None:
        (folder / "bench.crt").write_bytes(certificate.chain.read_bytes())
        (folder / "bench.key").write_bytes(certificate.key.read_bytes())
    return file


def _pooled(plan: dict[str, Any]) -> dict[str, Any]:
    """The Plan with room for every connection of the http2 scenario, as all peers have; Traefik keeps 200."""
    for transport in plan["transports"].values():
        transport["pool"]["max_idle"] = IDLE
    return plan


def _secured(plan: dict[str, Any]) -> dict[str, Any]:
    """The Plan with TLS on every listener."""
    plan["certificates"] = {"bench": {"origin": {"name": "", "file": "", "line": 0}, "names": []}}
    plan["tls_options"] = {
        "bench": {
            "min_version": "1.2",
            "max_version": "1.3",
            "cipher_suites": [],
            "groups": [],
            "alpn": ["h2", "http/1.1"],
            "sni_strict": False,
            "reject": False,
            "session_tickets": True,
            "client_auth": None,
        }
    }
    for listener in plan["listeners"].values():
        listener["tls"] = {"options": "bench", "certificates": [], "default_certificate": "bench", "plain": "serve"}
    return plan
