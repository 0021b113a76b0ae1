"""Traefik's static configuration, typed, with Traefik's defaults.

The file that `--configFile` names: entry points, providers, logs, ping. What Traefik v3.7 knows and this
version does not serve is listed in each section's `not_yet`, so that it is reported with its place.
The parts of an entry point are in entry_point.py, the logs in logs.py. Nothing is resolved or lowered here.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from daemun.config.durations import Seconds
from daemun.config.section import Section
from daemun.traefik.entry_point import EntryPoint
from daemun.traefik.logs import AccessLog, Log

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
        "docker",
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


class Ping(Section):
    """The answer at /ping: on the entry point `traefik` unless another is named."""

    entry_point: str = "traefik"
    manual_routing: bool = False
    terminating_status_code: int = Field(default=503, ge=100, le=599)


class Global(Section):
    """Accepted so that existing files work: Daemun never calls home."""

    check_new_version: bool = True
    send_anonymous_usage: bool = False
    not_append_x_forwarded_for: bool = Field(default=False, alias="notAppendXForwardedFor")


class Static(Section):
    """The whole static configuration."""

    not_yet: ClassVar[tuple[str, ...]] = (
        "api",
        "metrics",
        "tracing",
        "certificatesResolvers",
        "experimental",
        "serversTransport",
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
    # Where it was read, and the line of each entry point: what the Plan gives back as origin.
    origin_file: str = Field(default="", exclude=True)
    origin_lines: dict[str, int] = Field(default={}, exclude=True)
