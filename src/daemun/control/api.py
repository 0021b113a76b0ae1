"""The read-only API below /api, with Traefik's paths and fields; what there is to show comes from a View.

    engine ─ api@internal ─► pages.sock ─► pages.py ─► here ─ View ─► JSON

Facts (Traefik v3.7): lists are sorted by name and come in pages (`page`, `per_page`, the header X-Next-Page, which is 1
on the last one), and may be searched (`search`, `status`). Decision: a path that is not known is answered with 404 and
JSON. Only GET and HEAD: nothing is changed here. Made in a worker thread, for a list may be long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from daemun.version import installed_version

_PER_PAGE = 100
_STARTED = datetime.now(UTC)

Shown = Mapping[str, object]


class View(Protocol):
    """What is configured and runs, in the words of JSON: by full name, or as a list."""

    def routers(self) -> Mapping[str, Shown]:
        """Return the routers."""
        ...

    def services(self) -> Mapping[str, Shown]:
        """Return the services."""
        ...

    def middlewares(self) -> Mapping[str, Shown]:
        """Return the middlewares."""
        ...

    def entry_points(self) -> Mapping[str, Shown]:
        """Return the entry points."""
        ...

    def overview(self) -> Shown:
        """Return how many there are of each, and how many are not served."""
        ...

    def containers(self) -> Sequence[Shown]:
        """Return every known container, whether it is exposed, and why not."""
        ...


def api(view: Callable[[], View | None]) -> list[Route]:
    """Return the routes; `view` is asked for each request, and says None where the API is not switched on."""

    def version(_request: Request, _view: View) -> Response:
        number = installed_version() or "checkout"
        started = _STARTED.isoformat(timespec="seconds")
        return JSONResponse({"Version": number, "Codename": "daemun", "startDate": started})

    def raw_data(_request: Request, shown: View) -> Response:
        parts = {"routers": shown.routers(), "middlewares": shown.middlewares(), "services": shown.services()}
        own = {
            part: {
                name: {key: value for key, value in one.items() if key not in _LISTED} for name, one in named.items()
            }
            for part, named in parts.items()
        }
        return JSONResponse({part: named for part, named in own.items() if named})

    answers: list[tuple[str, Callable[[Request, View], Response]]] = [
        ("/api/version", version),
        ("/api/rawdata", raw_data),
        ("/api/overview", lambda _, shown: JSONResponse(shown.overview())),
        ("/api/docker/containers", lambda request, shown: _listed(request, shown.containers())),
        ("/api/entrypoints", lambda _, shown: JSONResponse(list(shown.entry_points().values()))),
        ("/api/entrypoints/{name:path}", lambda request, shown: _one(request, "entryPoint", shown.entry_points())),
        ("/api/http/routers", lambda request, shown: _listed(request, list(shown.routers().values()))),
        ("/api/http/routers/{name:path}", lambda request, shown: _one(request, "router", shown.routers())),
        ("/api/http/services", lambda request, shown: _listed(request, list(shown.services().values()))),
        ("/api/http/services/{name:path}", lambda request, shown: _one(request, "service", shown.services())),
        ("/api/http/middlewares", lambda request, shown: _listed(request, list(shown.middlewares().values()))),
        ("/api/http/middlewares/{name:path}", lambda request, shown: _one(request, "middleware", shown.middlewares())),
        ("/api{rest:path}", lambda request, _: _not_found(f"there is no {request.url.path} here")),
    ]
    return [Route(path, _endpoint(answer, view), methods=["GET"]) for path, answer in answers]


# What a list and a single answer say beside what is configured.
_LISTED = frozenset({"name", "provider", "type"})


def _endpoint(
    answer: Callable[[Request, View], Response], view: Callable[[], View | None]
) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        shown = view()
        response = _not_found("the API is not switched on") if shown is None else answer(request, shown)
        response.headers["Cache-Control"] = "no-store"
        return response

    return endpoint


def _one(request: Request, kind: str, named: Mapping[str, Shown]) -> Response:
    name = request.path_params["name"]
    found = named.get(name)
    return _not_found(f"{kind} not found: {name}") if found is None else JSONResponse(found)


def _listed(request: Request, found: Sequence[Shown]) -> Response:
    """Return one page of those that are asked for."""
    query = request.query_params
    try:
        page, per_page = _number(query.get("page", ""), 1), _number(query.get("per_page", ""), _PER_PAGE)
    except ValueError:
        return _error(
            f"invalid request: page: {query.get('page', 1)}, per_page: {query.get('per_page', _PER_PAGE)}", 400
        )
    words, status = query.get("search", "").lower(), query.get("status", "").lower()
    kept = [
        one
        for one in found
        if words in f"{one.get('name', '')}\n{one.get('rule', '')}".lower()
        and status in {"", str(one.get("status", "")).lower()}
    ]
    start = (page - 1) * per_page
    if start and start >= len(kept):
        return _error(f"invalid request: page: {page}, per_page: {per_page}", 400)
    following = page + 1 if start + per_page < len(kept) else 1
    return JSONResponse(kept[start : start + per_page], headers={"X-Next-Page": str(following)})


def _number(text: str, default: int) -> int:
    """Return a number above 0. Raises ValueError."""
    number = int(text) if text else default
    if number <= 0:
        raise ValueError(text)
    return number


def _not_found(message: str) -> Response:
    return _error(message, 404)


def _error(message: str, status: int) -> Response:
    return JSONResponse({"message": message}, status_code=status)
