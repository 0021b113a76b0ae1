"""Where an instance with this static configuration answers a ping: what `daemun ping` asks.

Facts (Traefik v3.7): its `healthcheck` asks `/ping` on the entry point that `ping` names, in clear text only. Decision:
over TLS where the entry point terminates it. Nothing is asked here.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemun.traefik.lower_listeners import open_gates
from daemun.traefik.static import Static

PATH = "/ping"
# Listening everywhere is listening here.
_HERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, not by us


@dataclass(frozen=True, slots=True, kw_only=True)
class PingAddress:
    """Whom to ask."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """Return the address as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{PATH}"


def ping_address(static: Static) -> PingAddress | None:
    """Return where it answers; None when ping is not switched on."""
    if static.ping is None:
        return None
    gate = open_gates(static).get(static.ping.entry_point)
    if gate is None:
        return None
    entry_point = gate.entry_point
    host = _HERE.get(entry_point.host, entry_point.host)
    return PingAddress(host=host, port=entry_point.port, tls=entry_point.http.tls is not None)
