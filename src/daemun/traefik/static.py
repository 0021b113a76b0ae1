"""Traefik's static configuration, typed, with Traefik's defaults.

The file that `--configFile` names: entry points, providers, logs, ping, API. What Traefik v3.7 knows and this
version does not serve is listed in each section's `not_yet`, so that it is reported with its place.
The parts of an entry point are in entry_point.py, the logs in logs.py. Nothing is resolved or lowered here.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from daemun.config.document import Document
from daemun.config.durations import Seconds
from daemun.config.section import Section
from daemun.errors import Place
from daemun.traefik.docker_options import Docker
from daemun.traefik.entry_point import EntryPoint
from daemun.traefik.logs import AccessLog, Log
from daemun.traefik.resolvers import Resolver
from daemun.traefik.servers_transport import StaticTransport

_DYNAMIC = "this belongs to the dynamic configuration: move it to the file that providers.file names"


class File(Section):
    """The file provider: one file, or every file of a directory."""

    not_yet: ClassVar[tuple[str, ...]] = ("debugLogGeneratedTemplate",)
    filename: str = ""
    directory: str = ""
    watch: bool = True


class Providers(Section):
    """Where the dynamic configuration comes from."""

    not_yet: ClassVar[tuple[str, ...]] = (
        "swarm",
        "kubernetesIngress",
        "kubernetesIngressNGINX",
        "kubernetesCRD",
        "kubernetesGateway",
        "knative",
        "rest",
        "consulCatalog",
        "nomad",
        "ecs",
        "consul",
        "etcd",
        "zooKeeper",
        "redis",
        "http",
        "plugin",
        "precedence",
    )
    providers_throttle_duration: Seconds = 2.0
    file: File | None = None
    docker: Docker | None = None


class Ping(Section):
    """The answer at /ping: on the entry point `traefik` unless another is named."""

    entry_point: str = "traefik"
    manual_routing: bool = False
    terminating_status_code: int = Field(default=503, ge=100, le=599)


class Api(Section):
    """What is configured and served, as JSON: `api@internal`, and on the entry point `traefik` when insecure.

    `dashboard` and `disableDashboardAd` are accepted: no dashboard is served (value_notes.py says so).
    """

    not_yet: ClassVar[tuple[str, ...]] = ("basePath", "debug")
    insecure: bool = False
    dashboard: bool = True
    disable_dashboard_ad: bool = False


class Global(Section):
    """Accepted so that existing files work: Daemun never calls home."""

    check_new_version: bool = True
    send_anonymous_usage: bool = False
    not_append_x_forwarded_for: bool = Field(default=False, alias="notAppendXForwardedFor")


class Places:
    """The document that answers where an option stands. A place is no value: all of these are equal."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)

    def __hash__(self) -> int:
        return hash(Places)


class Static(Section):
    """The whole static configuration."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    not_yet: ClassVar[tuple[str, ...]] = (
        "metrics",
        "tracing",
        "experimental",
        "tcpServersTransport",
        "hostResolver",
        "core",
        "spiffe",
        "ocsp",
    )
    elsewhere: ClassVar[dict[str, str]] = {"http": _DYNAMIC, "tcp": _DYNAMIC, "udp": _DYNAMIC, "tls": _DYNAMIC}
    global_: Global = Field(default=Global(), alias="global")
    entry_points: dict[str, EntryPoint] = {}
    providers: Providers = Providers()
    log: Log = Log()
    access_log: AccessLog | None = None
    ping: Ping | None = None
    api: Api | None = None
    certificates_resolvers: dict[str, Resolver] = {}
    servers_transport: StaticTransport = StaticTransport()
    # Where it was read, and each entry point: what the Plan gives back as origin.
    origin_file: str = Field(default="", exclude=True)
    origins: dict[str, Place] = Field(default={}, exclude=True)
    origin_places: Places | None = Field(default=None, exclude=True, repr=False)

    def place(self, *path: str | int, value: bool = False) -> Place:
        """Return the place of an option; only the file's name when it was not read from a document."""
        if self.origin_places is None:
            return Place(file=self.origin_file or "static configuration")
        return self.origin_places.document.place(path, value=value)
