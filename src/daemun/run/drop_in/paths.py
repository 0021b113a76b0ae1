"""Where nginx's files are when nothing else is said, and what a relative path is relative to.

The defaults are those of the packages most people have (Debian's; nginx's own differ in the prefix only).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from daemun.run.drop_in.flags import Flags

PREFIX = "/usr/share/nginx/"
CONFIG = "/etc/nginx/nginx.conf"
PID = "/run/nginx.pid"
ERROR_LOG = "/var/log/nginx/error.log"
ACCESS_LOG = "/var/log/nginx/access.log"
STDERR = "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """`prefix` ends in a slash; `error_log` is the log until the configuration names one, empty for standard error."""

    prefix: str
    config: str
    error_log: str

    @property
    def config_prefix(self) -> str:
        """What `include` and certificates are relative to: the directory of the configuration file."""
        return os.path.dirname(self.config) + "/"  # noqa: PTH120 - nginx joins texts: `./a/../b` stays as it is

    def from_prefix(self, path: str) -> str:
        """Return a path that may be relative to the prefix."""
        return path if path.startswith("/") else self.prefix + path


def paths_of(flags: Flags) -> Paths:
    """Return the paths for these flags."""
    prefix = PREFIX if flags.prefix is None else flags.prefix
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    bare = Paths(prefix=prefix, config="", error_log="")
    log = ERROR_LOG if flags.error_log is None else flags.error_log
    return Paths(
        prefix=prefix,
        config=bare.from_prefix(CONFIG if flags.config is None else flags.config),
        error_log="" if log in {"", STDERR} else bare.from_prefix(log),
    )
