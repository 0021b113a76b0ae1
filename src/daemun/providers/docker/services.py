"""Services of one container: `loadBalancer.server.…` and the container's address become a list with one server.

Facts (Traefik v3.7): a container without a service has one of its own name; `server.url` excludes `server.port` and
`server.scheme`; a container that is unhealthy or does not run keeps its services without a server, where it is kept at
all. Decisions: what is wrong with a service spoils that service alone; a container that says nothing of routing and has
no port is no error, for workers and databases are like that. A label names no Unix socket, for that is a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from daemun.config.document import Path
from daemun.config.section import fold_case, read_section, subject, unknown_problem
from daemun.errors import Place, Problem, Severity
from daemun.providers.docker.address import Finder, Unreachable
from daemun.providers.docker.label_document import LabelDocument, document_of
from daemun.providers.docker.labels import Read, Setting, owner
from daemun.traefik.dynamic import Server
from daemun.traefik.server_url import check_url


def _network_url(url: str) -> str:
    """Return a URL that leads over the network. Raises ValueError."""
    if url.lower().startswith("unix:"):
        message = "a label cannot name a Unix socket: define the service in a file that providers.file names"
        raise ValueError(message)
    return check_url(url)


class ServerLabels(Server):
    """What `loadBalancer.server.…` says: the whole URL, or the parts of it that the container does not tell."""

    url: Annotated[str, AfterValidator(_network_url)] = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    scheme: Annotated[Literal["http", "https", "h2c"], BeforeValidator(fold_case)] | None = None


def names_of(kind: str, settings: Sequence[Setting], read: Read) -> list[str]:
    """Return the names of the routers or services that a container has, those with errors among them."""
    named = [found[1] for setting in settings if (found := owner(setting.path)) and found[0] == kind]
    named += sorted(name for of, name in read.broken if of == kind)
    return list(dict.fromkeys(named))


def with_servers(
    settings: Sequence[Setting], *, own_name: str, finder: Finder, serving: bool, read: Read, file: str
) -> list[Setting]:
    """Return the settings with each service's server as a list, adding a service if there is none.

    Without `serving` the lists are empty. What cannot be done is said in `read`, and spoils its service.
    """
    document = document_of(settings, file=file, read=read)
    kept = [setting for setting in settings if not _is_server(setting.lower)]
    # A container that says nothing of HTTP may well be no server.
    silent = not any(setting.lower[0] == "http" for setting in settings)
    for name in filter(None, names_of("service", settings, read) or [own_name]):
        base: Path = ("http", "services", name, "loadBalancer")
        server = _server(document, base, settings, read)
        if server is None:
            read.spoil(base)
        elif serving:
            kept += _served(server, base, document, finder, read, severity="info" if silent else "error")
        else:
            kept.append(Setting(path=base, value=None))
    return kept


def _is_server(path: Path) -> bool:
    return path[:2] == ("http", "services") and path[3:5] in {("loadbalancer", "server"), ("loadbalancer", "servers")}


def _server(document: LabelDocument, base: Path, settings: Sequence[Setting], read: Read) -> ServerLabels | None:
    """Return what the labels say of a service's server, None when one of them is wrong."""
    lower = tuple(str(step).lower() for step in base)
    wrong = [one for one in settings if one.lower[:5] == (*lower, "servers")]
    for setting in wrong:
        read.problems.append(unknown_problem(document, setting.path[:5], known=["server"]))
    table = document.tree((*base, "server"))
    server, problems = read_section(ServerLabels, document, path=(*base, "server"), tree={} if table is None else table)
    read.problems.extend(problems)
    return None if wrong else server


def _served(
    server: ServerLabels, base: Path, document: LabelDocument, finder: Finder, read: Read, *, severity: Severity
) -> list[Setting]:
    """Return the settings of a list with one server, none when it cannot be reached."""
    url = server.url
    if url and (server.port is not None or server.scheme is not None):
        message = f"{subject((*base, 'server'))} has a url, and port or scheme beside it: the url says both"
        read.problems.append(_problem("error", "value", message, document, base))
        read.spoil(base)
        return []
    if not url:
        try:
            url = f"{server.scheme or 'http'}://{finder.authority(server.port)}"
        except Unreachable as reason:
            label = f"traefik.http.services.{base[2]}.loadbalancer.server.port"
            remedy = f"name it by the label {label}=8000" if reason.port else reason.remedy
            message = f"the service {base[2]!r} has no server here: {reason.message}"
            read.problems.append(_problem(severity, "missing", message, document, base, remedy=remedy))
            read.spoil(base)
            return []
    lower = (*(str(step).lower() for step in base), "server")
    where = next((one.where for one in document.settings if one.lower[:5] == lower), "")
    path: Path = (*base, "servers", 0)
    return [
        Setting(path=(*path, "url"), value=url, where=where),
        Setting(path=(*path, "weight"), value=str(server.weight), where=where),
        Setting(path=(*path, "preservePath"), value=str(server.preserve_path).lower(), where=where),
    ]


def _problem(
    severity: Severity, kind: str, message: str, document: LabelDocument, base: Path, *, remedy: str = ""
) -> Problem:
    """Return what is wrong with a service, at its labels if it has some."""
    named = document.find(base[:3])[1]
    place = document.place((*base, "server")) if named else Place(file=document.file)
    return Problem(severity=severity, kind=kind, message=message, place=place, subject=subject(base[:3]), remedy=remedy)
