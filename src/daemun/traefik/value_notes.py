"""Values that are known and not (yet) honoured, said at their place.

Options as a whole are answered by `not_yet` of their section; this is for single values of options that are
served otherwise. Called when reading, so that `check` and a starting Daemun say the same.
"""

from __future__ import annotations

from daemun.config.document import Document, Path
from daemun.config.section import subject
from daemun.errors import Problem
from daemun.traefik.middlewares import Middleware
from daemun.traefik.static import Static


def static_notes(static: Static, document: Document) -> list[Problem]:
    """Return what a static configuration asks for in values that are not honoured."""
    notes: list[Problem] = []
    for name, entry_point in static.entry_points.items():
        path: Path = ("entryPoints", name)
        if entry_point.http.underscore_headers_strategy == "reject":
            notes.append(
                _later(
                    document,
                    (*path, "http", "underscoreHeadersStrategy"),
                    "not yet: reject comes later; until then such fields are deleted",
                )
            )
        if entry_point.reuse_port:
            notes.append(
                _later(
                    document,
                    (*path, "reusePort"),
                    "not yet: sharing an address between processes comes later; a running Daemun is replaced by handing over",
                )
            )
    if static.api is not None and document.find(("api", "dashboard"))[1] and static.api.dashboard:
        notes.append(_later(document, ("api", "dashboard"), "not yet: no dashboard is served; the API below /api is"))
    log = static.access_log
    if log is not None and log.format == "json" and log.fields_.headers.default_mode != "drop":
        notes.append(
            _later(
                document,
                ("accessLog", "fields", "headers", "defaultMode"),
                "not yet: logging every header comes later; name those you need in fields.headers.names",
            )
        )
    return notes


def middleware_notes(middleware: Middleware, document: Document, path: Path) -> list[Problem]:
    """Return what a middleware asks for in values that are not honoured."""
    if middleware.strip_prefix is not None and middleware.strip_prefix.force_slash:
        message = "forceSlash does nothing: Traefik v3 has deprecated it, and a path always begins with /"
        return [_later(document, (*path, "stripPrefix", "forceSlash"), message)]
    return []


def _later(document: Document, path: Path, message: str) -> Problem:
    return Problem(
        severity="warning",
        kind="not_yet",
        message=message,
        place=document.place(path, value=True),
        subject=subject(path),
    )
