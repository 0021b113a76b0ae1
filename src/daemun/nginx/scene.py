"""Where a part of lowering stands: what it must know of the server and the location around its level.

Made by whoever lowers servers and locations, handed to `script`, `error_pages`, `access`, `mirror`, `headers`, `files`.
It holds nothing that a `Level` says by inheritance.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemun.plan.scalars import Id
from daemun.plan.template import Literal, Template
from daemun.plan.variable import Variable

# `scheme://host[:port]` of the request, for a server whose listeners differ in scheme or port.
ANY_ORIGIN: Template = (Variable.SCHEME, Literal("://"), Variable.HOST_OR_ADDRESS, Variable.PORT_SUFFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`name` begins the ids of filters (`server`, `/api/`); every id a part makes is this and a word."""

    name: str
    # The server's table: where jumps (rewrite, error_page, try_files, auth_request, mirror) search again.
    table: Id
    # What makes a redirect to a path absolute; empty with `absolute_redirect off`.
    origin: Template = ANY_ORIGIN
    # The location as written (`/api/`, for `= /x` too); empty for a server, a regex or a named location.
    path: str = ""
    # The location is `= path`.
    exact: bool = False
    # The slot of the location's (else the server name's) regular expression: what `$1` means before the next one.
    captures: int | None = None
