"""A service that is files, to the Plan: the action of every route to it.

Decisions: an If-Modified-Since later than the file means that the client has it (RFC 9110 section 13.1.3); the redirect
to a directory's slash is relative, for a middleware may have cut the prefix; compressed files go to proxies too.
"""

from __future__ import annotations

from pathlib import Path

from daemun.errors import Problem
from daemun.plan import files as plan
from daemun.plan.template import Literal
from daemun.traefik.dynamic import Entry, Service
from daemun.traefik.files import Files
from daemun.traefik.media_types import OTHERWISE

# The Plan's one table of media types.
TYPES = "standard"
# A head of a mebibyte could name a quarter of a million.
_RANGES = 100
_LISTINGS = {
    "true": plan.ListingFormat.HTML,
    "html": plan.ListingFormat.HTML,
    "json": plan.ListingFormat.JSON,
}


def root_of(entry: Entry[Service], files: Files) -> Path:
    """Return the directory: a relative one is relative to the file that names it."""
    beside = Path(entry.document.file).absolute().parent if entry.document.file else Path.cwd()
    return beside / files.root


def lower_files(entry: Entry[Service], files: Files) -> plan.Files:
    """Return the action of a route to this service."""
    root = (Literal(str(root_of(entry, files)).rstrip("/")),)
    shown = _LISTINGS.get(files.listing)
    return plan.Files(
        root=root,
        alias=plan.Off(),
        index=tuple((Literal(name),) for name in files.index),
        index_table=None,
        listing=None
        if shown is None
        else plan.Listing(format=shown, exact_size=True, local_time=False, charset="utf-8"),
        fallback=files.page,
        precompressed=plan.Precompressed(
            codings=tuple(plan.Coding(name) for name in files.precompressed),
            always=False,
            vary=True,
            http10=False,
            proxied=True,
        ),
        types=TYPES,
        default_type=OTHERWISE,
        symlinks=plan.Follow() if files.symlinks == "follow" else plan.Refuse(from_=root),
        etag=True,
        if_modified_since=plan.IfModifiedSince.BEFORE,
        max_ranges=_RANGES,
        redirect=None,
    )


def root_problems(entry: Entry[Service]) -> list[Problem]:
    """Say that there is no such directory; it may come later, so nothing is refused for it."""
    files = entry.value.files
    if files is None or root_of(entry, files).is_dir():
        return []
    there = root_of(entry, files)
    return [
        Problem(
            severity="warning",
            kind="reference",
            message=f"{'not a directory' if there.exists() else 'there is no directory'}: {there}",
            place=entry.place("files", "root", value=True),
            subject=f"{entry.subject}.files.root",
            remedy="a relative root is relative to this file",
        )
    ]
