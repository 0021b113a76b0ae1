"""`types`, `default_type` and `charset`: which media type a path has, for files and for answers with a text of their own.

Facts (nginx): a block replaces what the levels above say; without any, html, gif and jpg are known. The extension is
looked up in lower case; a name that begins with its only dot has none. A charset is added to the types it is said of:
text/html always, without `charset_types` some others too. Decision: files and texts of a configuration have it, what an
application or a fault answers stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.scalars import Id
from daemun.plan.template import Entry, Literal, Lookup, LookupPart, Map, Template
from daemun.plan.variable import Variable

_Table = TypeVar("_Table")

# What nginx knows without any `types`, and the table's id.
BUILT_IN = {"html": "text/html", "gif": "image/gif", "jpg": "image/jpeg"}
BUILT_IN_ID = "nginx"

_CHARSET_TYPES = frozenset(
    {
        "text/html",
        "text/xml",
        "text/plain",
        "text/vnd.wap.wml",
        "application/javascript",
        "application/rss+xml",
    }
)


def default_type(level: Level) -> str:
    """Return the type of what has no known extension."""
    return _named(level.value("default_type", "text/plain"), *_charset(level))


def types(level: Level, making: Making) -> Mapping[str, str]:
    """Return the extensions a level knows; of one that stands twice the later line counts, and that is said."""
    at = level.owner(("types",))
    found = making.types.get(at)
    if found is None:
        found = making.types[at] = _types(at, making)
    name, of = _charset(level)
    return {extension: _named(known, name, of) for extension, known in found.items()} if name else found


def charset(level: Level, *, of: str) -> str:
    """Return the charset that a level gives this type; empty for none."""
    name, types_ = _charset(level)
    return name if of in types_ or "*" in types_ else ""


def _types(level: Level, making: Making) -> Mapping[str, str]:
    blocks = level.own("types")
    if not blocks:
        return BUILT_IN
    known: dict[str, str] = {}
    for block in blocks:
        for entry in block.block or ():
            for extension in entry.args:
                name = extension.lower()
                if known.get(name, entry.name) != entry.name:
                    making.doubtful(
                        entry.place,
                        f'duplicate extension "{name}", content type: "{entry.name}", '
                        f'previous content type: "{known[name]}"',
                        kind="duplicate",
                    )
                known[name] = entry.name
    return known


def _charset(level: Level) -> tuple[str, frozenset[str]]:
    """Return the charset that a level names, empty for none, and the types that have it."""
    name = level.value("charset", "off")
    if name == "off" or "$" in name:
        return "", frozenset()
    said = level.all("charset_types")
    return name, frozenset({"text/html", *(word for one in said for word in one.args)}) if said else _CHARSET_TYPES


def _named(known: str, charset: str, of: frozenset[str]) -> str:
    return f"{known}; charset={charset}" if charset and (known in of or "*" in of) else known


def types_id(level: Level, making: Making) -> Id:
    """Return the id of the table of a level's types, which is added when it is new."""
    known = types(level, making)
    if known == BUILT_IN:
        making.mime_types[BUILT_IN_ID] = known
        return BUILT_IN_ID
    return _id(making.mime_types, known)


def content_type(level: Level, making: Making, scene: Scene) -> Template:
    """Return the Content-Type of a text answered on a level: that of the path's extension, else the default.

    Known beforehand for `location = /path`; else looked up, unless every type is the same.
    """
    default = default_type(level)
    known = types(level, making)
    if scene.exact:
        return _text(known.get(_extension(scene.path), default))
    if all(of == default for of in known.values()):
        return _text(default)
    table: Lookup = Map(
        hostnames=False,
        exact=tuple(Entry(key=extension, value=_text(of)) for extension, of in known.items()),
        regexes=(),
        default=_text(default),
        volatile=True,
    )
    return (LookupPart(table=_id(making.lookups, table), key=(Variable.PATH_EXTENSION,)),)


def _id(tables: dict[Id, _Table], table: _Table) -> Id:
    """Return the id under which this table stands, put there when it is new."""
    name, count = "types", 1
    while name in tables and tables[name] != table:
        count += 1
        name = f"types {count}"
    tables[name] = table
    return name


def _extension(path: str) -> str:
    last = path.rpartition("/")[2]
    return last.rpartition(".")[2].lower() if last.rfind(".") > 0 else ""


def _text(text: str) -> Template:
    return (Literal(text),) if text else ()
