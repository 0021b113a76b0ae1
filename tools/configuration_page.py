"""Writes docs/reference/configuration.md from the models of `daemun.traefik`, so that it cannot lie.

`python -m tools.configuration_page` writes the page; a house test compares. Every option, its values and its default
come from the model, the words about a section from its docstring.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from daemun.config.section import Names, Section
from daemun.traefik.dynamic import Router, Service
from daemun.traefik.entry_point import REDIRECT_PRIORITY
from daemun.traefik.middlewares import Middleware
from daemun.traefik.servers_transport import ServersTransport
from daemun.traefik.static import Static
from daemun.traefik.tls import TlsCertificate, TlsOptions, TlsStore

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "configuration.md"
_HEAD = """# Configuration

<!-- Written by `python -m tools.configuration_page` from the models; do not edit by hand. -->

Daemun reads Traefik's language (v3), in TOML or YAML. The *static* file is the one `daemun run --config` names, to
which [flags and variables](static-sources.md) add; the *dynamic* ones are those that `providers.file` names, or the labels of containers (`providers.docker`). Both may be changed while Daemun runs.
Names of options are read in any case. A duration is written as in Go (`10s`, `1m30s`), a bare number is seconds; 0 is
without limit. A list may be one text with commas. `<name>` is yours to choose, `[]` is one of a list.

An option that Traefik knows and Daemun does not serve yet is answered with "not yet" and its place, never ignored in
silence; any other unknown name is an error with the nearest known one. `daemun check FILE` says all of it at once.
"""
_STATIC = """
## Static options

Without `entryPoints` there is one, `http` on `:80`. Without a provider nothing is routed, which is said.
`providers.docker` is the Docker engine whose routers are `…@docker`; `providers.docker.engines.<name>`, Daemun's own,
are further ones (`…@docker-<name>`), which have from the first what they do not say, but for where and how it is reached.
`ping` and `accessLog` are on when they stand there, with `{}` for their defaults.
`readTimeout` bounds how long a client may be silent, and how slow, not the whole request: long uploads go through.

"""
_VALUES = """
Single values that are read and answered with a warning: `underscoreHeadersStrategy: reject` (such fields are deleted),
`reusePort: true`, and `accessLog.fields.headers.defaultMode` other than `drop` in the JSON format.
"""
_DYNAMIC = """
## Dynamic options

One bad router, service or middleware does not stop the others. `tcp` and `udp` are not yet served. Several files of a
directory add up; a name that stands twice is an error.

"""
_FILES = """
A service is one of two kinds: servers (`loadBalancer`), or files, which is Daemun's own. Of files:

- `root`: a directory; a relative one is relative to the file that names it. Nothing outside is served: a path with `..`,
  however it is written, names no file. Links are followed, or `symlinks: refuse` forbids them below the root.
- A router with ``PathPrefix(`/static/`)`` has its files in `root/static/`; a `stripPrefix` middleware cuts the prefix.
- `index`: what is served where a directory is asked for; one without its slash is redirected to it.
- `spa: true`: where there is no file the index of the root is served, with 200, for a single-page application that routes
  by itself; another page by its path below the root. A missing script or image gets the page too.
- `listing: true` or `html`: a directory without an index is shown as a page; `json` for programs. Else it is 403.
- `precompressed`: `app.js.br`, `app.js.zst` or `app.js.gz` beside `app.js` goes to clients that take it, the first named one
  among what they like equally; the answer says `Vary: Accept-Encoding`.
- Types go by the extension, texts are UTF-8, anything unknown is `application/octet-stream`. Ranges, `If-None-Match`,
  `If-Modified-Since` and their like are answered; `ETag` and `Last-Modified` are nginx's. GET and HEAD only.
- A file that changes is served changed at once: nothing is kept in memory.
"""
_TLS_MODELS: dict[str, type[Section]] = {
    "tls.certificates[]": TlsCertificate,
    "tls.options.<name>": TlsOptions,
    "tls.stores.default": TlsStore,
}
_TLS = """
`tls: {}` (or `true`) switches TLS on for a router, or for all routers of an entry point that have none of their own; such a
router answers over TLS only, others in clear text only. Where a file is named a PEM text may stand. A relative name is
relative to the working directory, else to the file in which it stands. Files are watched: a new pair serves the next
handshake, a broken one is reported and the one before stays.

- `minVersion`, `maxVersion`: `VersionTLS12`, `VersionTLS13`; older ones are known, and 1.2 is served in their place.
- `cipherSuites`: IANA's names of the six suites of TLS 1.2 with ephemeral keys and authenticated encryption; those of TLS 1.3
  cannot be switched off. Other names Traefik knows are left out and reported; when nothing is left that is an error.
- `curvePreferences`: `X25519MLKEM768`, `X25519`, `CurveP256`, `CurveP384`. `CurveP521` is left out and reported.
- `clientAuth` comes later: until then handshakes with such options are refused, and their routers not served.
- Options named `default` are everybody's who names none. Routers with different options for one host get the default ones.
- Names that no public authority signs (`localhost`, names without a dot, private addresses, `.test`, `.internal` and their
  like) get certificates from a local authority of your own, unless a resolver is named; `daemun trust` makes this machine
  trust it.
"""
_RULES = """
## Rules

| matcher | fits when |
| --- | --- |
| ``Host(`example.org`)`` | the host is this one; ``*.example.org`` stands for exactly one label |
| ``HostRegexp(`re`)`` | the pattern is found in the host, in lower case |
| ``Path(`/x`)`` | the path is this one |
| ``PathPrefix(`/x`)`` | the path begins so; `/xyz` does too |
| ``PathRegexp(`re`)`` | the pattern is found in the path |
| ``Header(`name`, `value`)`` | a field of this name has this value |
| ``HeaderRegexp(`name`, `re`)`` | the pattern is found in a field of this name |
| ``Method(`GET`)`` | the method is this one |
| ``Query(`name`, `value`)`` | the query has this; without a value: the name with an empty value |
| ``QueryRegexp(`name`, `re`)`` | the pattern is found in a value of this name |
| ``ClientIP(`10.0.0.0/8`)`` | the peer's address is in the range, whatever X-Forwarded-For says |

They are joined with `&&`, `||`, `!` and parentheses; texts stand in backticks or double quotes. The rule with the
highest `priority` wins; without one, the longest rule text; of two equal ones the first by the router's name.
Patterns are RE2: no look-around, no backreferences.
"""


def page() -> str:
    """The whole page."""
    router = table(Router, "http.routers.<name>")
    service = table(Service, "http.services.<name>")
    middleware = table(Middleware, "http.middlewares.<name>")
    transport = table(ServersTransport, "http.serversTransports.<name>")
    tls = "".join(table(model, path, head=not index) for index, (path, model) in enumerate(_TLS_MODELS.items()))
    return "".join(
        [
            _HEAD,
            _STATIC,
            table(Static, ""),
            "\n### Static: not yet\n\n",
            not_yet(Static, ""),
            _VALUES,
            _DYNAMIC,
            f"### Routers\n\n{router}\n### Services\n\n{service}{_FILES}\n### Middlewares\n\n{middleware}",
            f"\n### Servers transports\n\n{transport}\n### TLS\n\n{tls}{_TLS}",
            "\n### Dynamic: not yet\n\n",
            not_yet(Router, "http.routers.<name>"),
            not_yet(Service, "http.services.<name>"),
            not_yet(Middleware, "http.middlewares.<name>"),
            not_yet(ServersTransport, "http.serversTransports.<name>"),
            _RULES,
        ]
    )


def table(model: type[Section], path: str, *, head: bool = True) -> str:
    """Return a section's options as a table."""
    lines = ["| option | values | default |", "| --- | --- | --- |"] if head else []
    for option, info in _options(model, path):
        lines.append(f"| `{option}` | {_values(info)} | {_default(info)} |")
    return "\n".join(lines) + "\n"


def _options(model: type[Section], path: str) -> Iterator[tuple[str, FieldInfo]]:
    """Every option below a section that is no section itself; sections that stand empty are one too."""
    for name, info in model.model_fields.items():
        if name == "pending" or info.exclude:
            continue
        here = f"{path}.{info.alias or name}" if path else info.alias or name
        below, suffix = _section(info.annotation)
        if below is None:
            yield here, info
        else:
            yield from _options(below, here + suffix)


def _section(annotation: object) -> tuple[type[Section] | None, str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        return next((found for a in arguments if (found := _section(a))[0] is not None), (None, ""))
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, ""
    if origin is dict:
        return _section(arguments[1])[0], ".<name>"
    if origin is tuple:
        return _section(arguments[0])[0], "[]"
    return None, ""


def _sections(model: type[Section], path: str) -> Iterator[tuple[str, type[Section]]]:
    yield path, model
    for name, info in model.model_fields.items():
        below, suffix = _section(info.annotation)
        if below is not None:
            here = f"{path}.{info.alias or name}" if path else info.alias or name
            yield from _sections(below, here + suffix)


def not_yet(model: type[Section], path: str) -> str:
    """Return what is known of a section and not served, as a list."""
    return "".join(
        f"- {f'`{here}`' if here else 'at the top'}: {', '.join(f'`{name}`' for name in section.not_yet)}\n"
        for here, section in _sections(model, path)
        if section.not_yet
    )


def _values(info: FieldInfo) -> str:
    return _type(info.annotation, tuple(info.metadata))


def _type(annotation: object, metadata: tuple[object, ...] = ()) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if any(getattr(item, "func", None) is not None and "duration" in item.func.__name__ for item in metadata):  # type: ignore[attr-defined]
        return "duration"
    if origin is Annotated:
        return _type(arguments[0], arguments[1:])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments if value != "")
    if origin in {Union, types.UnionType}:
        return _type(next(a for a in arguments if a is not type(None)))
    if origin is tuple or annotation is Names:
        return "list"
    if origin is dict:
        return f"table of names, each {_type(arguments[1])}"
    known: dict[object, str] = {bool: "`true`, `false`", int: "number", str: "text", float: "number"}
    return known[annotation]


def _default(info: FieldInfo) -> str:
    value = info.default
    if info.is_required():
        return "required"
    if value == REDIRECT_PRIORITY and not isinstance(value, bool):
        return "before every router"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    if _values(info) == "duration":
        return f"`{_seconds(float(value))}`"
    return f"`{value}`"


def _seconds(value: float) -> str:
    if value in (0, int(value)):
        return f"{int(value)}s" if value else "0"
    return f"{value * 1000:g}ms"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
