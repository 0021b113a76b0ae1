"""`types` and `default_type`: which media type a path has, for files and for answers with a text of their own.

Facts (nginx): a block replaces what the levels above say; without any, html, gif and jpg are known. The extension is
looked up in lower case; a name that begins with its only dot has none.
"""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.plan.route import MimeType
from daemun.plan.template import Entry, Literal, LookupPart, Map, Template
from daemun.plan.variable import Variable

BUILT_IN = (
    MimeType(extension="html", media_type="text/html"),
    MimeType(extension="gif", media_type="image/gif"),
    MimeType(extension="jpg", media_type="image/jpeg"),
)


def default_type(level: Level) -> str:
    """Return the type of what has no known extension."""
    return level.value("default_type", "text/plain")


def types(level: Level, making: Making) -> tuple[MimeType, ...]:
    """Return the extensions a level knows; of one that stands twice the later line counts, and that is said."""
    blocks = level.all("types")
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
    return tuple(MimeType(extension=name, media_type=of) for name, of in known.items())


def content_type(level: Level, making: Making, scene: Scene) -> Template:
    """Return the Content-Type of a text answered on a level: that of the path's extension, else the default.

    Known beforehand for `location = /path`; else looked up, unless every type is the same.
    """
    default = default_type(level)
    known = types(level, making)
    if scene.exact:
        extension = _extension(scene.path)
        return _text(next((one.media_type for one in known if one.extension == extension), default))
    if all(one.media_type == default for one in known):
        return _text(default)
    table = Map(
        hostnames=False,
        exact=tuple(Entry(key=one.extension, value=_text(one.media_type)) for one in known),
        regexes=(),
        default=_text(default),
        volatile=True,
    )
    return (LookupPart(table=_named(making, table), key=(Variable.PATH_EXTENSION,)),)


def _named(making: Making, table: Map) -> str:
    """Return the id of this table, the one it has already if it has."""
    name, count = "types", 1
    while name in making.lookups and making.lookups[name] != table:
        count += 1
        name = f"types {count}"
    making.lookups[name] = table
    return name


def _extension(path: str) -> str:
    last = path.rpartition("/")[2]
    return last.rpartition(".")[2].lower() if last.rfind(".") > 0 else ""


def _text(text: str) -> Template:
    return (Literal(text),) if text else ()
