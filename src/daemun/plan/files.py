"""Static files: which directory, which file of it, how it is said.

What is done when there is none is `daemun.plan.route.TryFiles`; expiry is a header's matter (`daemun.plan.filter`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from daemun.plan.codec import Newtype
from daemun.plan.scalars import U32, Id
from daemun.plan.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Answers GET and HEAD with a file under `root`; other methods are the fault `method_not_allowed`."""

    # Stands before the path, which begins with a slash. Nothing leads out of it: a path with a segment `..`, or a
    # variable that brings one, is not found.
    root: Template
    alias: Alias
    # Tried in order where a directory is asked for; the first that begins with a slash is a URI and ends the search.
    index: tuple[Template, ...]
    # Table in which the URI of an index file is searched again (nginx's internal redirect); without one this route
    # serves it.
    index_table: Id | None
    # How a directory without an index file is shown; forbidden without.
    listing: Listing | None
    # Path under `root` of a file that is served with 200 where nothing is found (single-page applications).
    fallback: str | None
    precompressed: Precompressed
    # Media types by extension, of the Plan's `mime_types`.
    types: Id
    # Of any other extension; no Content-Type when empty.
    default_type: str
    symlinks: Symlinks
    etag: bool
    if_modified_since: IfModifiedSince
    # Ranges that are answered in one response: more get the whole file, 0 turns ranges off. Without a limit, ranges
    # that would cost more than the whole file get the whole.
    max_ranges: U32 | None
    # Stands before the path in the Location of a directory without its slash (fault `directory_redirect`). Without
    # it Location is relative, which holds also where a prefix of the path was cut off.
    redirect: Template | None


@dataclass(frozen=True, slots=True)
class Off:
    """`root` and the whole path."""


@dataclass(frozen=True, slots=True)
class AliasPrefix(Newtype):
    """So many bytes of the path as this prefix has are cut off."""

    TAG: ClassVar[str] = "prefix"

    prefix: str


@dataclass(frozen=True, slots=True)
class Whole:
    """`root` is the whole name (nginx's `alias` in a regex location)."""


class ListingFormat(StrEnum):
    """The form in which a directory is shown."""

    HTML = "html"
    JSON = "json"
    # The query's `callback` is called with it; JSON where it names none.
    JSONP = "jsonp"
    XML = "xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How a directory is shown."""

    format: ListingFormat
    # Sizes in bytes, not rounded.
    exact_size: bool
    # Times of the machine's zone, not UTC.
    local_time: bool
    # What the page says it is written in, empty for nothing. Names are cut by characters where it is `utf-8`.
    charset: str


class Coding(StrEnum):
    """A content coding: br, zstd and gzip files end in `.br`, `.zst` and `.gz`."""

    BR = "br"
    ZSTD = "zstd"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Precompressed:
    """Files that stand compressed beside others and go to clients that take them."""

    # The first is preferred among what a client likes equally.
    codings: tuple[Coding, ...]
    # Whatever the client takes (nginx `gzip_static always`).
    always: bool
    # Vary: Accept-Encoding on what has such a file.
    vary: bool
    # Also to HTTP/1.0 clients.
    http10: bool
    # Also to requests that carry Via.
    proxied: bool


@dataclass(frozen=True, slots=True)
class Follow:
    """Links are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """None in a name, `from` aside: a leading part that is not looked at, the whole name is when it is empty."""

    from_: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class SameOwner:
    """Only those that belong to the owner of what they lead to; `from` as above."""

    from_: Template


class IfModifiedSince(StrEnum):
    """Which dates of If-Modified-Since mean that the client has the file."""

    OFF = "off"
    # Its very date.
    EXACT = "exact"
    # That and later ones.
    BEFORE = "before"


Alias = Off | AliasPrefix | Whole
Symlinks = Follow | Refuse | SameOwner
# Media type by extension, lower-case and without its dot.
MimeTypes = Mapping[str, str]
