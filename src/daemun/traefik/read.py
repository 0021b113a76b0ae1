"""Traefik's files to typed values: the door other packages come in by.

    load_static  ── one file or text ──► Static     load_dynamic ── files ──► Dynamic
    dynamic_files ── which files the file provider reads

Everything wrong is returned as Problems with their places. ConfigError is raised only when there is
nothing to use: a file that does not parse, or a static configuration with an error in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from daemun.config.document import Document
from daemun.config.read import read_file, read_text
from daemun.config.section import read_section
from daemun.errors import ConfigError, Place, Problem
from daemun.traefik.dynamic import Dynamic, build_dynamic
from daemun.traefik.static import Places, Static
from daemun.traefik.value_notes import static_notes

# JSON is read when named, but a directory's .json files are nobody's configuration in Traefik.
_DIRECTORY_ENDINGS = frozenset({".toml", ".yaml", ".yml"})


def load_static(source: Path | str, *, file: str = "traefik.toml") -> tuple[Static, list[Problem]]:
    """Read a static configuration from a path, or from a text whose syntax the name `file` tells.

    Raises ConfigError with every Problem when one of them is an error.
    """
    document = read_file(source) if isinstance(source, Path) else read_text(source, file=file)
    static, problems = build_static(document)
    if static is None:
        raise ConfigError(problems=problems)
    return static, problems


def build_static(document: Document) -> tuple[Static | None, list[Problem]]:
    """Return the static configuration of a document, None when it has an error, and every Problem."""
    static, problems = read_section(Static, document, path=(), tree=document.data)
    if static is None:
        return None, problems
    origins = {name: document.place(("entryPoints", name)) for name in static.entry_points}
    places = Places(document)
    static = static.model_copy(update={"origin_file": document.file, "origins": origins, "origin_places": places})
    problems.extend(_provider_problems(static, document))
    problems.extend(_reference_problems(static, document))
    problems.extend(_resolver_problems(static, document))
    problems.extend(static_notes(static, document))
    return (None if any(problem.is_error for problem in problems) else static), problems


def load_dynamic(paths: Iterable[Path]) -> tuple[Dynamic, list[Problem]]:
    """Read dynamic configuration files in order.

    Raises ConfigError, with what is wrong in every one of them, when any file does not parse.
    """
    documents: list[Document] = []
    unreadable: list[Problem] = []
    for path in paths:
        try:
            documents.append(read_file(path))
        except ConfigError as error:
            unreadable.extend(error.problems)
    dynamic, problems = build_dynamic(documents)
    if unreadable:
        raise ConfigError(problems=[*unreadable, *problems])
    return dynamic, problems


def load_dynamic_text(text: str, *, file: str) -> tuple[Dynamic, list[Problem]]:
    """Read one dynamic configuration from a text. Raises ConfigError when it does not parse."""
    return build_dynamic([read_text(text, file=file)])


def dynamic_files(static: Static, *, beside: Path | None = None) -> list[Path]:
    """Return the files the file provider reads, sorted; a directory counts with everything below it.

    Relative names are relative to the working directory, as in Traefik; when nothing is there, to the
    directory of the static file (`beside`). Raises ConfigError when a named directory cannot be read.
    """
    provider = static.providers.file
    if provider is None or not (provider.directory or provider.filename):
        return []
    if not provider.directory:
        return [beside_static(provider.filename, beside)]
    root = beside_static(provider.directory, beside)
    if not root.is_dir():
        message = f"cannot read the directory {root}"
        raise ConfigError(
            problems=[Problem(severity="error", kind="file", message=message, place=Place(file=str(root)))]
        )
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in _DIRECTORY_ENDINGS and path.is_file())


def beside_static(name: str, beside: Path | None) -> Path:
    """Return the file of this name: in the working directory, else beside the static file."""
    path = Path(name)
    if path.is_absolute() or beside is None or path.exists():
        return path
    other = beside.parent / path
    return other if other.exists() else path


def _provider_problems(static: Static, document: Document) -> list[Problem]:
    provider = static.providers.file
    if provider is None:
        if static.providers.docker is None and not static.providers.pending:
            return [
                Problem(
                    severity="warning",
                    kind="missing",
                    message="no provider is configured: nothing will be routed",
                    place=document.place(("providers",)) if document.data else Place(file=document.file),
                    subject="providers",
                    remedy='add [providers.file] with filename = "dynamic.toml"',
                )
            ]
        return []
    path = ("providers", "file")
    if not provider.filename and not provider.directory:
        message = "providers.file names neither a filename nor a directory"
        return [
            Problem(
                severity="error", kind="missing", message=message, place=document.place(path), subject=".".join(path)
            )
        ]
    if provider.filename and provider.directory:
        message = "providers.file has a directory, so filename is not read"
        place = document.place((*path, "filename"))
        return [Problem(severity="warning", kind="value", message=message, place=place, subject=".".join(path))]
    return []


def _reference_problems(static: Static, document: Document) -> list[Problem]:
    """Find entry points that are named and not defined, and addresses used twice."""
    problems: list[Problem] = []
    names = list(static.entry_points)
    seen: dict[tuple[str, int, bool], str] = {}
    for name, entry_point in static.entry_points.items():
        path = ("entryPoints", name)
        redirect = entry_point.http.redirections.entry_point
        # A target may be a port too, as ":8443".
        if redirect is not None and redirect.to not in names and not redirect.to.startswith(":"):
            target = (*path, "http", "redirections", "entryPoint", "to")
            problems.append(_unknown_entry_point(document, target, redirect.to, names))
        key = (entry_point.host, entry_point.port, entry_point.is_udp)
        if entry_point.port and key in seen:
            message = f"the entry points {seen[key]!r} and {name!r} have the same address {entry_point.address}"
            problems.append(
                Problem(
                    severity="error",
                    kind="duplicate",
                    message=message,
                    place=document.place((*path, "address"), value=True),
                    subject=".".join((*path, "address")),
                    related=(document.place(("entryPoints", seen[key], "address"), value=True),),
                )
            )
        seen.setdefault(key, name)
    if (
        static.ping is not None
        and not static.ping.manual_routing
        and static.ping.entry_point not in {*names, "traefik"}
    ):
        problems.append(_unknown_entry_point(document, ("ping", "entryPoint"), static.ping.entry_point, names))
    return problems


def _resolver_problems(static: Static, document: Document) -> list[Problem]:
    """Find resolvers that can never obtain anything."""
    problems: list[Problem] = []
    for name, resolver in static.certificates_resolvers.items():
        acme = resolver.acme
        path: tuple[str, ...] = ("certificatesResolvers", name)
        if acme is None:
            if not resolver.pending:
                problems.append(_lacking(document, path, "is of no kind", "give it acme"))
            continue
        path = (*path, "acme")
        challenge = acme.http_challenge
        names = list(static.entry_points) or ["http"]
        if challenge is not None and challenge.entry_point not in names:
            here = (*path, "httpChallenge", "entryPoint")
            if challenge.entry_point:
                problems.append(_unknown_entry_point(document, here, challenge.entry_point, names))
            else:
                problems.append(_lacking(document, here, "is missing", "name the entry point on port 80"))
        if challenge is None and acme.tls_challenge is None and "dnsChallenge" not in acme.pending:
            problems.append(_lacking(document, path, "has no challenge", "add httpChallenge or tlsChallenge"))
    return problems


def _lacking(document: Document, path: tuple[str, ...], what: str, remedy: str) -> Problem:
    name = ".".join(path)
    place = document.place(path)
    message = f"{name} {what}: no certificate can be obtained"
    return Problem(severity="warning", kind="missing", message=message, place=place, subject=name, remedy=remedy)


def _unknown_entry_point(document: Document, path: tuple[str, ...], name: str, names: list[str]) -> Problem:
    from daemun.errors import nearest  # only once something is wrong

    return Problem(
        severity="error",
        kind="reference",
        message=f"there is no entry point {name!r}",
        place=document.place(path, value=True),
        subject=".".join(path),
        found=name,
        suggestion=nearest(name, names),
    )
