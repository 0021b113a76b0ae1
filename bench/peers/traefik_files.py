"""Configuration in Traefik's language, for Traefik and for Daemun: the same two files.

The static file is the template `traefik.yml` beside this module; the dynamic one is written here, because
scenarios ask for ten thousand routers. Defaults stay Traefik's own.
"""

from collections.abc import Sequence
from pathlib import Path

from bench.peers.running import Address, fill

EVERYTHING = "PathPrefix(`/`)"


def static(folder: Path, listen: Address, dynamic_file: Path, *, watch: bool = False) -> Path:
    """Writes the static file into `folder`; returns it."""
    values = {"listen": "{}:{}".format(*listen), "dynamic": dynamic_file, "watch": "true" if watch else "false"}
    return fill("traefik.yml", folder, values)


def dynamic(servers: Sequence[Address], rules: Sequence[str]) -> str:
    """A dynamic file: one router a rule, one service for all of them."""
    lines = ["http:", "  routers:"]
    for number, rule in enumerate(rules):
        lines += [f"    r{number}:", f"      rule: '{rule}'", "      service: app"]
    lines += ["  services:", "    app:", "      loadBalancer:", "        servers:"]
    lines += [f'          - url: "http://{host}:{port}"' for host, port in servers]
    return "\n".join([*lines, ""])


def files(root: Path) -> str:
    """A dynamic file: everything is a file below `root` (Daemun's own kind of service)."""
    return (
        f"http:\n  routers:\n    files:\n      rule: '{EVERYTHING}'\n      service: files\n"
        f'  services:\n    files:\n      files:\n        root: "{root}"\n'
    )
