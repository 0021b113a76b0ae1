"""The application that the command line talks to: `daemun certs renew NAME` is POST /certificates/renew.

Whoever may open the socket (mode 0600, in a directory of mode 0700) may command. Bodies and answers are JSON; an error
is `{"error": text}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RENEW = "/certificates/renew"


class Certificates(Protocol):
    """Who renews certificates (daemun.acme)."""

    def renew(self, name: str, *, new_key: bool = False) -> Sequence[str]:
        """Order at once; return the ids of what is ordered, none when the name is unknown."""
        ...


def commands(certificates: Certificates) -> Starlette:
    """Return the application."""

    async def renew(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
            name, new_key = body["name"], bool(body.get("new_key", False))
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"error": 'the body is {"name": text, "new_key": true or false}'}, status_code=400)
        ids = certificates.renew(str(name), new_key=new_key)
        if not ids:
            message = f"no certificate resolver has {name}: `daemun certs` lists the names"
            return JSONResponse({"error": message}, status_code=404)
        return JSONResponse({"certificates": list(ids)}, status_code=202)

    return Starlette(routes=[Route(RENEW, renew, methods=["POST"])])
