"""`providers.docker` of the static configuration, typed, with Traefik's defaults: which Docker engine, and what of it.

Facts (Traefik v3.7): the local socket, watched; containers are exposed unless they say no; a container without a rule
gets one of its name. Decision, ours: `engines` names further Docker engines. `providers.docker` itself is the engine
`docker` (`web@docker`), `engines.west` is `docker-west` (`web@docker-west`). What a further engine does not say it has
from `providers.docker`, but for where it is and how it is reached. Nothing is connected here (daemun.providers.docker).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from daemun.config.durations import Seconds
from daemun.config.section import Section

DOCKER = "docker"
SOCKET = "unix:///var/run/docker.sock"
DEFAULT_RULE = "Host(`{{ normalize .Name }}`)"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SCHEMES = ("unix", "tcp", "http", "https", "ssh")
# Where an engine is and how it is reached: never taken from another one.
_OWN = frozenset({"endpoint", "username", "password", "tls"})


def split_endpoint(endpoint: str) -> SplitResult:
    """Return the parts of an endpoint. Raises ValueError with a sentence that says what is accepted."""
    advice = "expected unix:///path, tcp://host:port or ssh://user@host"
    parts = urlsplit(endpoint)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"{endpoint!r} is no Docker endpoint: {advice}")
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.netloc:
            raise ValueError(f"{endpoint!r} names no socket: {advice}")
        return parts
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"{endpoint!r} has a port that is none: {advice}") from None
    if not parts.hostname:
        raise ValueError(f"{endpoint!r} names no host: {advice}")
    if parts.scheme == "ssh":
        if parts.hostname.startswith("-") or (parts.username or "").startswith("-"):
            raise ValueError(f"{endpoint!r}: neither user nor host may begin with a dash")
        if parts.password is not None:
            raise ValueError("an ssh endpoint holds no password: use a key that ssh finds by itself")
    elif port is None:
        raise ValueError(f"{endpoint!r} names no port: {advice}")
    return parts


def _checked(endpoint: str) -> str:
    split_endpoint(endpoint)
    return endpoint


def _constraints(text: str) -> str:
    from daemun.traefik.constraints import check_constraints  # only where some are written

    return check_constraints(text)


def _template(text: str) -> str:
    from daemun.traefik.go_template import check_template  # only where one is written

    return check_template(text)


Endpoint = Annotated[str, AfterValidator(_checked)]


class ClientTls(Section):
    """How an engine at tcp is believed, and what is shown to it; files or PEM texts."""

    ca: str = ""
    cert: str = ""
    key: str = Field(default="", repr=False)
    insecure_skip_verify: bool = False


class DockerOptions(Section):
    """A Docker engine whose containers are routed to."""

    endpoint: Endpoint = SOCKET
    username: str = ""
    password: str = Field(default="", repr=False)
    tls: ClientTls | None = None
    http_client_timeout: Seconds = Field(default=0.0, alias="httpClientTimeout")
    watch: bool = True
    exposed_by_default: bool = True
    allow_empty_services: bool = False
    use_bind_port_ip: bool = Field(default=False, alias="useBindPortIP")
    network: str = ""
    default_rule: Annotated[str, AfterValidator(_template)] = DEFAULT_RULE
    constraints: Annotated[str, AfterValidator(_constraints)] = ""


class DockerEngine(DockerOptions):
    """A further Docker engine, under a name."""

    endpoint: Endpoint


def _named(engines: dict[str, DockerEngine]) -> dict[str, DockerEngine]:
    for name in engines:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be an engine's name: letters, digits, dots, dashes and underscores can")
    return engines


class Docker(DockerOptions):
    """The Docker provider: one engine, and further ones."""

    engines: Annotated[dict[str, DockerEngine], AfterValidator(_named)] = {}

    def providers(self) -> Mapping[str, DockerOptions]:
        """Return each engine's options, complete, by the name of its provider."""
        common = {
            name: getattr(self, name) for name in DockerOptions.model_fields if name not in _OWN and name != "pending"
        }
        found: dict[str, DockerOptions] = {
            DOCKER: DockerOptions(**{name: getattr(self, name) for name in (*common, *_OWN)})
        }
        for name, engine in self.engines.items():
            own = {field: getattr(engine, field) for field in engine.model_fields_set if field != "pending"}
            found[f"{DOCKER}-{name}"] = DockerOptions(**{**common, **own})
        return found
