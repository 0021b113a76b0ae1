"""The application behind the gate: the answers of HTTP-01 (RFC 8555 section 8.3), and the API.

Later dashboard and metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from daemun.control.api import View, api

CHALLENGE = "/.well-known/acme-challenge/{token}"


def no_view() -> View | None:
    """Show nothing: the API is not switched on."""
    return None


def pages(tokens: Mapping[str, str], view: Callable[[], View | None] = no_view) -> Starlette:
    """Return the application; `tokens` and `view` are read anew for each request."""

    async def challenge(request: Request) -> Response:
        answer = tokens.get(request.path_params["token"])
        if answer is None:
            return PlainTextResponse("404 page not found\n", status_code=404)
        return Response(answer, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    return Starlette(routes=[Route(CHALLENGE, challenge, methods=["GET"]), *api(view)])
