"""`valid_referers`: what `$invalid_referer` is on a level, as a table of the Plan.

Facts (nginx's ngx_http_referer_module.c): the variable is empty for a valid referer, else `1`; without the directive
all are valid. `none` is a request without one, `blocked` one that is no HTTP URL, `server_names` the names of the
server; a name may have wildcards and the beginning of a path behind it; `~` begins a pattern, searched behind the
scheme. Names have no case, the port does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.patterns import pattern
from daemun.nginx.values import complain
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.template import Entry, Header, Literal, LookupPart, Map, RegexEntry, Template

_INVALID: Template = (Literal("1"),)
# No HTTP URL, or shorter than any.
_BLOCKED = "^(?!https?://)|^.{1,10}$"
_HOST = re.compile(r"(?:\*?\.)?[^*]+|[^*]+\.\*")


def local_variables(level: Level, making: Making) -> Mapping[str, Template]:
    """Return the variables that mean something only on their level, for `variables.template`."""
    return {"invalid_referer": invalid_referer(level, making)}


def invalid_referer(level: Level, making: Making) -> Template:
    """Return the template of `$invalid_referer` there; the table is added."""
    found = level.all("valid_referers")
    words = {arg for one in found for arg in one.args}
    patterns = [
        Pattern(regex=regex, dialect=Dialect.PCRE, ignore_case=True, slot=None) for regex in _regexes(level, making)
    ]
    if not patterns:
        return ()
    if "blocked" in words:
        patterns.append(Pattern(regex=_BLOCKED, dialect=Dialect.PCRE, ignore_case=True, slot=None))
    table = Map(
        hostnames=False,
        exact=(Entry(key="", value=() if "none" in words else _INVALID),),
        regexes=tuple(RegexEntry(pattern=one, value=()) for one in patterns),
        default=_INVALID,
        volatile=False,
    )
    name, count = "$invalid_referer", 1
    while name in making.lookups and making.lookups[name] != table:
        count += 1
        name = f"$invalid_referer {count}"
    making.lookups[name] = table
    return (LookupPart(table=name, key=(Header("referer"),)),)


def _regexes(level: Level, making: Making) -> Iterator[str]:
    """Yield what a valid referer may match."""
    for one in level.all("valid_referers"):
        for at, word in enumerate(one.args):
            if word == "server_names":
                for names in level.all("server_name"):
                    yield from (_server_name(name) for name in names.args if name)
            elif word.startswith("~"):
                yield _searched(word.removeprefix("~"), one, at, making)
            elif word not in ("none", "blocked"):
                host, slash, path = word.partition("/")
                if _HOST.fullmatch(host):
                    yield _name(host.lower(), slash + path)
                else:
                    message = f'invalid hostname or wildcard "{host}"'
                    complain(making, one, message, argument=at, remedy="it is *.example.org or www.example.*")


def _name(host: str, path: str) -> str:
    if host.startswith("*."):
        text = r"[^/:]+" + re.escape(host[1:])
    elif host.startswith("."):
        text = r"(?:[^/:]+\.)?" + re.escape(host[1:])
    elif host.endswith(".*"):
        text = re.escape(host[:-1]) + r"[^/:]+"
    else:
        text = re.escape(host)
    # A path has its case, whatever the pattern's.
    behind = f"(?-i:{re.escape(path)})" if path else "(?:/|$)"
    return f"^https?://{text}(?::[^/]*)?{behind}"


def _server_name(name: str) -> str:
    if not name.startswith("~"):
        return _name(name.lower(), "")
    text = name.removeprefix("~")
    begin = "" if text.startswith("^") else "[^/:]*"
    end = "(?=[/:]|$)" if text.endswith("$") and not text.endswith("\\$") else ""
    return f"^https?://{begin}(?:{text.removeprefix('^').removesuffix('$') if end else text.removeprefix('^')}){end}"


def _searched(text: str, one: Directive, at: int, making: Making) -> str:
    if not text:
        complain(making, one, 'empty regex in "~"', argument=at)
    pattern(text, making, one.places[at])
    return f"^https?://{text[1:]}" if text.startswith("^") else f"^https?://.*(?:{text})"
