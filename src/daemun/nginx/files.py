"""`root`, `alias`, `index`, `autoindex` and their kin as the Plan's Files; `try_files` as its TryFiles.

Facts (nginx): root is `html` under the prefix unless said, its last slash does not count; `alias` cuts off what its own
location's prefix has, also in locations inside it, and is the whole name in a regex location; `try_files` is not
inherited, and its last word is never looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.media_types import charset, default_type, types_id
from daemun.nginx.pages import answer
from daemun.nginx.scene import Scene
from daemun.nginx.values import choice, complain, flag, number
from daemun.nginx.variables import argument, template
from daemun.plan.fault import FaultKind
from daemun.plan.files import (
    Alias,
    AliasPrefix,
    Coding,
    Files,
    Follow,
    IfModifiedSince,
    Listing,
    ListingFormat,
    Off,
    Precompressed,
    Refuse,
    SameOwner,
    Symlinks,
    Whole,
)
from daemun.plan.route import Fail, Otherwise, TryFiles, Uri
from daemun.plan.scalars import Id
from daemun.plan.template import Literal, Template

_FAULTS = {403: FaultKind.FORBIDDEN, 404: FaultKind.NOT_FOUND, 405: FaultKind.METHOD_NOT_ALLOWED}
_FORMATS = tuple(one.value for one in ListingFormat)
# What a level says of files, wherever they are.
_NAMES = frozenset(
    [
        "index",
        "autoindex",
        "autoindex_format",
        "autoindex_exact_size",
        "autoindex_localtime",
        "gzip_static",
        "gzip_vary",
        "gzip_http_version",
        "gzip_proxied",
        "types",
        "default_type",
        "charset",
        "charset_types",
        "etag",
        "if_modified_since",
        "max_ranges",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What `_NAMES` come to on a level."""

    index: tuple[Template, ...]
    listing: Listing | None
    precompressed: Precompressed
    types: Id
    default_type: str
    etag: bool
    if_modified_since: IfModifiedSince
    max_ranges: int | None


def files(level: Level, making: Making, scene: Scene) -> Files:
    """Return what serves static files on this level: what a location without a handler of its own does."""
    root, alias = _root(level, making, scene)
    served = _served(level, making, scene.captures)
    return Files(
        root=root,
        alias=alias,
        index=served.index,
        index_table=scene.table,
        listing=served.listing,
        fallback=None,
        precompressed=served.precompressed,
        types=served.types,
        default_type=served.default_type,
        symlinks=_symlinks(level, making, scene, root),
        etag=served.etag,
        if_modified_since=served.if_modified_since,
        max_ranges=served.max_ranges,
        redirect=scene.origin,
    )


def _served(level: Level, making: Making, captures: int | None) -> Served:
    """Return what a level says of its files, wherever they are: read once for all that say the same."""
    at = level.owner(_NAMES)
    found = making.served.get((at, captures))
    if found is None:
        found = making.served[at, captures] = Served(
            index=_index(at, making, captures),
            listing=_listing(at, making),
            precompressed=_precompressed(at, making),
            types=types_id(at, making),
            default_type=default_type(at),
            etag=flag(at, "etag", making, default=True),
            if_modified_since=IfModifiedSince(
                choice(at, "if_modified_since", "exact", ("off", "exact", "before"), making)
            ),
            max_ranges=None if at.last("max_ranges") is None else number(at, "max_ranges", 0, making),
        )
    return found


def try_files(level: Level, making: Making, scene: Scene, content: Id | None) -> TryFiles | None:
    """Return the `try_files` of this very block; None when it has none.

    `content` is the prepared route a found file goes through when the location has a handler (proxy_pass); None
    serves it.
    """
    own = level.own("try_files")
    if not own:
        return None
    one = own[-1]
    root = document_root(level, making, scene)
    texts = [argument(one, index, making, captures=scene.captures, root=root) for index in range(len(one.args))]
    if len(own) > 1:
        complain(making, one, '"try_files" directive is duplicate', kind="duplicate")
    return TryFiles(
        files=files(level, making, scene),
        candidates=tuple(texts[:-1]),
        found=content,
        otherwise=_otherwise(one, texts[-1], making, scene),
    )


def document_root(level: Level, making: Making, scene: Scene) -> Template | None:
    """Return what `$document_root` is there; None where `alias` cuts a prefix off."""
    root, alias = _root(level, making, scene)
    return root if isinstance(alias, (Off, Whole)) else None


def _otherwise(one: Directive, last: Template, making: Making, scene: Scene) -> Otherwise:
    text = one.args[-1]
    if text.startswith("@"):
        return making.named(scene.table, one)
    if not text.startswith("="):
        return Uri(table=scene.table, uri=last)
    code = text.removeprefix("=")
    if not (code.isascii() and code.isdigit() and int(code) <= 999):
        complain(making, one, f'invalid code "{code}"', argument=len(one.args) - 1, remedy="it is =404")
        return Fail(FaultKind.NOT_FOUND)
    status = int(code)
    return Fail(_FAULTS[status]) if status in _FAULTS else answer(status)


def _root(level: Level, making: Making, scene: Scene) -> tuple[Template, Alias]:
    at = level.owner(("root", "alias"))
    roots, aliases = at.own("root"), at.own("alias")
    one = (aliases or roots or (None,))[-1]
    if one is None:
        return (Literal(making.file("html")),), Off()
    if len(roots) + len(aliases) > 1:
        other = "root" if aliases and roots else one.name
        message = f'"{one.name}" directive is duplicate, "{other}" directive was specified earlier'
        complain(making, one, message, kind="duplicate", remedy="take one of them out")
    text = one.args[0] if aliases else one.args[0].removesuffix("/")
    for name in ("document_root", "realpath_root"):
        if f"${name}" in text or f"${{{name}}}" in text:
            message = f'the ${name} variable cannot be used in the "{one.name}" directive'
            complain(making, one, message, argument=0)
            return (), Off()
    path = text if text.startswith("$") else making.file(text)
    root = template(path, making, one.places[0], captures=scene.captures) if "$" in path else (Literal(path),)
    return root, _alias(one, at, making) if aliases else Off()


def _alias(one: Directive, at: Level, making: Making) -> Alias:
    """Return what an alias cuts off: the prefix of the location it stands in."""
    while at.kind == "if" and at.parent is not None:
        at = at.parent
    words = at.directive.args if at.directive is not None else ()
    if not words or words[-1].startswith("@"):
        message = 'the "alias" directive cannot be used inside the named location'
        complain(making, one, message, kind="placement", remedy="use root")
        return Off()
    return Whole() if words[0] in ("~", "~*") else AliasPrefix(words[-1])


def _index(level: Level, making: Making, captures: int | None) -> tuple[Template, ...]:
    found = level.all("index")
    if not found:
        return ((Literal("index.html"),),)
    names: list[Template] = []
    for one in found:
        for at, text in enumerate(one.args):
            if text.startswith("/") and at != len(one.args) - 1:
                message = f'only the last index in "index" directive should be absolute: "{text}"'
                complain(
                    making, one, message, argument=at, severity="warning", remedy="what follows is never asked for"
                )
            names.append(argument(one, at, making, captures=captures))
    return tuple(names)


def _listing(level: Level, making: Making) -> Listing | None:
    if not flag(level, "autoindex", making, default=False):
        return None
    return Listing(
        format=ListingFormat(choice(level, "autoindex_format", "html", _FORMATS, making)),
        exact_size=flag(level, "autoindex_exact_size", making, default=True),
        local_time=flag(level, "autoindex_localtime", making, default=False),
        charset=charset(level, of="text/html"),
    )


def _precompressed(level: Level, making: Making) -> Precompressed:
    static = choice(level, "gzip_static", "off", ("off", "on", "always"), making)
    on = static != "off"
    return Precompressed(
        codings=(Coding.GZIP,) if on else (),
        always=static == "always",
        vary=on and flag(level, "gzip_vary", making, default=False),
        http10=on and choice(level, "gzip_http_version", "1.1", ("1.0", "1.1"), making) == "1.0",
        # Other words ask the response's fields, which no file has.
        proxied=on and level.value("gzip_proxied", "off") == "any",
    )


def _symlinks(level: Level, making: Making, scene: Scene, root: Template) -> Symlinks:
    one = level.last("disable_symlinks")
    word = choice(level, "disable_symlinks", "off", ("off", "on", "if_not_owner"), making)
    if one is None or word == "off":
        return Follow()
    from_: Template = ()
    for index in range(1, len(one.args)):
        if not one.args[index].startswith("from="):
            complain(making, one, f'invalid parameter "{one.args[index]}"', argument=index, suggestion="from=")
            continue
        from_ = template(
            one.args[index].removeprefix("from="), making, one.places[index], captures=scene.captures, root=root
        )
    return Refuse(from_=from_) if word == "on" else SameOwner(from_=from_)
