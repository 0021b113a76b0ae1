"""What to do when a Docker engine does not answer: one sentence for each common reason. Pure."""

from __future__ import annotations

from daemun.errors import ProviderError
from daemun.providers.docker.client import Refused
from daemun.traefik.docker_options import split_endpoint

_REFUSED = range(401, 406)
_UNIX = {
    "No such file or directory": "mount it into the container ({path}:{path}:ro), or set providers.docker.endpoint",
    "Permission denied": "let this user open it: it belongs to the group that owns {path}",
    "Connection refused": "nobody listens there: start the Docker engine",
}


def remedy_of(error: ProviderError, endpoint: str) -> str:
    """Return advice, or nothing."""
    if isinstance(error, Refused) and error.status in _REFUSED:
        return "what stands before it must let through GET of /version, /containers and /events"
    parts = split_endpoint(endpoint)
    if parts.scheme == "unix":
        return _UNIX.get(str(error), "").format(path=parts.path)
    if any(sign in str(error) for sign in ("no Docker engine", "HTTPS server")) and parts.scheme in {"tcp", "http"}:
        return "if it speaks TLS, say so with providers.docker.tls"
    return ""
