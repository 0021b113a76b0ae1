"""What labels must not reach: whoever may start a container must not thereby read files or weaken TLS.

Facts (Traefik v3.7): serversTransports, TLS options and certificates, every store but `default`, and services that are
made of others are not settable by label; Traefik is silent about them. Decisions: each is refused by name; so are our
services of files, and (in services.py) servers that are Unix sockets.
"""

from __future__ import annotations

from daemun.config.document import Path
from daemun.config.section import subject
from daemun.errors import Place, Problem
from daemun.providers.docker.labels import Read, Setting

_FILE = "define it in a file that providers.file names"
_WEIGHED = f"{_FILE}; it reaches the services of containers as name@docker"
_REFUSED: dict[tuple[str, ...], str] = {
    ("http", "serverstransports"): f"{_FILE}; a service names it: loadBalancer.serversTransport=name@file",
    ("http", "routers", "*", "parentrefs"): _FILE,
    ("http", "services", "*", "weighted"): _WEIGHED,
    ("http", "services", "*", "mirroring"): _WEIGHED,
    ("http", "services", "*", "failover"): _WEIGHED,
    ("http", "services", "*", "highestrandomweight"): _WEIGHED,
    ("http", "services", "*", "files"): f"a container must not reach the files of this machine; {_FILE}",
    ("tls", "options"): f"{_FILE}; a router names it: tls.options=name@file",
    ("tls", "certificates"): _FILE,
    ("tls", "stores", "default", "defaultcertificate"): _FILE,
}


def within_reach(read: Read, *, file: str) -> list[Setting]:
    """Return the settings that a label may make; the others are said, and spoil their entry."""
    kept: list[Setting] = []
    for setting in read.settings:
        refused = _refused(setting.lower)
        if refused is None:
            kept.append(setting)
            continue
        length, remedy = refused
        path = setting.path[:length]
        read.spoil(path)
        read.problems.append(
            Problem(
                severity="error",
                kind="placement",
                message=f"{subject(path)} cannot be set by a label",
                place=Place(file=f"{file} ({setting.where})"),
                subject=subject(path),
                remedy=remedy,
            )
        )
    return kept


def _refused(path: Path) -> tuple[int, str] | None:
    """Return how much of a path is refused, and what to do instead."""
    for pattern, remedy in _REFUSED.items():
        if len(path) >= len(pattern) and all(want in {"*", step} for want, step in zip(pattern, path, strict=False)):
            return len(pattern), remedy
    if path[:2] == ("tls", "stores") and len(path) > 2 and path[2] != "default":
        return 3, "there is only one store, default"
    return None
