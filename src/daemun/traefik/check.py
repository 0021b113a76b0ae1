"""Everything wrong in a set of Traefik files, at once: what `daemun check` shows.

    files ── static or dynamic? ──► read ──► lower ──► Problems in the order of the files

A static file that names a file provider is followed to the files it reads; flags and environment are laid over it, as
when it runs. Dynamic files given without a static one, nor flags, are checked together; references to entry points are
then not judged. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from daemun.config.document import Document
from daemun.config.read import read_file
from daemun.errors import ConfigError, Problem, in_order
from daemun.traefik.dynamic import Dynamic, build_dynamic
from daemun.traefik.entry_point import EntryPoint
from daemun.traefik.lower import lower
from daemun.traefik.lower_files import root_problems
from daemun.traefik.names import DOCKER
from daemun.traefik.read import build_static, dynamic_files
from daemun.traefik.resolvers import Resolver
from daemun.traefik.sources import StaticSources
from daemun.traefik.static import Static

_DYNAMIC_ROOTS = frozenset({"http", "tcp", "udp", "tls"})
_HINT = (
    "start it with uvicorn --uds … --proxy-headers --forwarded-allow-ips='*': "
    "it trusts no Unix-socket peer by default and would see neither the client's address nor its scheme"
)


# What else a configuration leads to and has to be looked at: its certificates.
Look = Callable[[Static, Dynamic], list[Problem]]


def look_at_nothing(_static: Static, _dynamic: Dynamic) -> list[Problem]:
    """Look at no other file."""
    return []


NO_SOURCES = StaticSources(file=None)


def check(paths: Sequence[Path], *, sources: StaticSources = NO_SOURCES, look: Look = look_at_nothing) -> list[Problem]:
    """Return every problem of the files, of those a static file leads to, and of `sources`; nothing is raised."""
    problems: list[Problem] = []
    statics: list[Document] = []
    dynamics: list[Document] = []
    for document in _read_all(paths, problems):
        (dynamics if is_dynamic(document) else statics).append(document)
    if not statics and (sources.flags or not paths):
        statics.extend(_base(sources, problems))
    given = {Path(document.file).resolve() for document in dynamics}
    for document in map(sources.over, statics):
        static, found = sources.build(document)
        problems.extend(found)
        followed = static or _salvage(document)
        if followed is None:
            continue
        files = _follow(followed, document, problems)
        documents = _read_all([path for path in files if path.resolve() not in given], problems)
        # A file given by name beside its static file is judged once, together with it.
        documents.extend(one for one in dynamics if one.file in {str(path) for path in files} or len(statics) == 1)
        _check_dynamic(documents, static, problems, look)
    if dynamics and not statics:
        _check_dynamic(dynamics, None, problems, look)
    return in_order(problems)


def is_dynamic(document: Document) -> bool:
    """Tell a dynamic file from a static one: by what most of its sections are, static when there is none."""
    names = [name.lower() for name in document.data]
    dynamic = sum(name in _DYNAMIC_ROOTS for name in names)
    return dynamic > len(names) - dynamic


def unix_socket_hints(dynamic: Dynamic) -> list[Problem]:
    """Return a hint for each service whose server is a Unix socket."""
    hints: list[Problem] = []
    for entry in dynamic.services.values():
        balancer = entry.value.load_balancer
        for index, server in enumerate(balancer.servers if balancer is not None else ()):
            if server.url.startswith("unix:"):
                hints.append(
                    Problem(
                        severity="info",
                        kind="hint",
                        message=f"{server.url}: if this is uvicorn, it must be told to trust the proxy",
                        place=entry.place("loadBalancer", "servers", index, "url", value=True),
                        subject=f"{entry.subject}.loadBalancer.servers[{index}].url",
                        remedy=_HINT,
                    )
                )
                break
    return hints


def _base(sources: StaticSources, problems: list[Problem]) -> list[Document]:
    try:
        return [sources.base()]
    except ConfigError as error:
        problems.extend(error.problems)
        return []


def _read_all(paths: Iterable[Path], problems: list[Problem]) -> list[Document]:
    documents: list[Document] = []
    for path in paths:
        try:
            documents.append(read_file(path))
        except ConfigError as error:
            problems.extend(error.problems)
    return documents


def _follow(static: Static, document: Document, problems: list[Problem]) -> list[Path]:
    try:
        return dynamic_files(static, beside=Path(document.file))
    except ConfigError as error:
        problems.extend(error.problems)
        return []


def _salvage(document: Document) -> Static | None:
    """Return a static configuration with nothing but the providers of a broken file, if these are sound."""
    providers = {name: tree for name, tree in document.data.items() if name.lower() == "providers"}
    return build_static(replace(document, data=providers))[0] if providers else None


def _check_dynamic(documents: Sequence[Document], static: Static | None, problems: list[Problem], look: Look) -> None:
    if not documents and (static is None or static.providers.file is not None):
        return  # what could not be read was said, and what leads there cannot be judged
    dynamic, found = build_dynamic(documents)
    dynamic = replace(dynamic, providers=(*dynamic.providers, *_silent(static)), silent=_silent(static))
    problems.extend(found)
    problems.extend(unix_socket_hints(dynamic))
    problems.extend(problem for entry in dynamic.services.values() for problem in root_problems(entry))
    judged = static or _any_static(dynamic)
    problems.extend(lower(judged, dynamic, hostname="check")[1])
    problems.extend(look(judged, dynamic))


def _silent(static: Static | None) -> tuple[str, ...]:
    """Return the providers whose part is not in files: nothing they define can be judged here."""
    if static is None:
        return (DOCKER,)
    return () if static.providers.docker is None else tuple(static.providers.docker.providers())


def _any_static(dynamic: Dynamic) -> Static:
    """Return a static configuration that has every entry point and resolver the routers name."""
    names = {name for entry in dynamic.routers.values() for name in entry.value.entry_points}
    resolvers = {entry.value.tls.cert_resolver for entry in dynamic.routers.values() if entry.value.tls is not None}
    return Static(
        entry_points={name: EntryPoint(address=":80") for name in sorted(names)},
        certificates_resolvers={name: Resolver() for name in sorted(resolvers - {""})},
    )
