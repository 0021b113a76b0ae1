"""What the command line hands to the running process, as one JSON argument."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

# The command's own flags, for whoever mistypes one: only the configuration's are known to those who look.
OWN_FLAGS = (
    "--config",
    "--configFile",
    "--threads",
    "--state-dir",
    "--data-dir",
    "--replace",
    "--acme-email",
    "--acme-server",
    "--acme-ca",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Either `listen`, `listen_tls` and `to` say everything, or file, flags and environment do.

    `config` names the configuration file; without it one is looked for. `flags` are words of the command line that
    belong to Traefik's static configuration, in their order.
    `hosts` are the names for which `listen_tls` has certificates. `data_dir` holds the local certificate authority.
    `acme_email` lets certificates be obtained for what an nginx configuration serves over TLS without naming one.
    `engine_log` is a file for the engine's own lines; without it they go where ours go.
    """

    config: str | None = None
    flags: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    listen_tls: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    strategy: str = "wrr"
    log_level: str = "info"
    state_dir: str | None = None
    data_dir: str | None = None
    threads: int | None = None
    replace: bool = False
    engine_log: str | None = None
    acme_email: str | None = None
    acme_server: str | None = None
    acme_ca_certificates: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """Return the command that runs with these options."""
        # -P: the working directory is nobody's business when modules are imported.
        chosen = {name: value for name, value in asdict(self).items() if value not in (None, (), False)}
        return [sys.executable, "-P", "-m", "daemun.run", json.dumps(chosen)]


def read_options(argument: str) -> Options:
    """Return the options that `command` wrote."""
    values = json.loads(argument)
    for name in ("flags", "listen", "listen_tls", "hosts", "to", "acme_ca_certificates"):
        values[name] = tuple(values.get(name, ()))
    return Options(**values)
