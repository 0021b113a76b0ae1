"""The pairs and roots that a configuration names, read from their files; the last good one of each is kept.

    Needs ──► Files.read ──► materials and secrets by id, and what is wrong, at the place of the option

Facts (Traefik v3.7): where a file is named a PEM text may stand. Decisions: a relative name is relative to the working
directory, else to the file that names it, as with providers. A pair is taken whole or not at all: half-written files, a
key of another certificate and a file that is gone leave the pair before in use, which is said. `paths` is what to watch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from daemun.certificates.material import Material, check_roots, opened, parse
from daemun.errors import CertificateError, Place, Problem
from daemun.needs import Needs, PairNeed, RootsNeed, is_pem, wildcard_problems
from daemun.plan.scalars import Id

# A certificate file is some kilobytes; a bundle of every root there is has not half of this.
_MOST_BYTES = 4 * 1024 * 1024

T = TypeVar("T")
N = TypeVar("N", PairNeed, RootsNeed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRead:
    """What the files give now; what cannot be used is what it was before, or is missing."""

    materials: Mapping[Id, Material]
    secrets: Mapping[Id, str]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Files:
    """Remembers what was good."""

    paths: tuple[Path, ...] = ()
    _pairs: dict[Id, Material] = field(default_factory=dict)
    _roots: dict[Id, str] = field(default_factory=dict)

    def read(self, needs: Needs, *, now: datetime) -> FilesRead:
        """Read everything that is needed; forget what no longer is."""
        found: list[Path] = []
        problems: list[Problem] = []

        def text(name: str, place: Place) -> str:
            if is_pem(name):
                return name
            path = resolve(name, place)
            found.append(path)
            return _text(path)

        def pair(need: PairNeed, before: Material | None) -> Material:
            chain, key = text(need.certificate, need.place), text(need.key, need.place)
            if need.passwords:
                key = opened(key, text(need.passwords, need.place).splitlines())
            if before is not None and (before.chain, before.key) == (chain, key):
                return before
            return parse(chain, key)

        def roots(need: RootsNeed, before: str | None) -> str:
            content = text(need.content, need.place)
            if content != before:
                check_roots(content)
            return content

        self._pairs = _renewed(needs.pairs, self._pairs, pair, problems)
        self._roots = _renewed(needs.roots, self._roots, roots, problems)
        for name, material in self._pairs.items():
            problems.extend(_about_dates(needs.pairs[name], material, now))
        self.paths = tuple(dict.fromkeys(found))
        return FilesRead(materials=dict(self._pairs), secrets=dict(self._roots), problems=tuple(problems))


def look_at(needs: Needs) -> list[Problem]:
    """Return what is wrong with the files that are needed, and which names cannot be obtained: for `daemun check`."""
    return [*Files().read(needs, now=datetime.now(UTC)).problems, *wildcard_problems(needs)]


def resolve(name: str, place: Place) -> Path:
    """Return the file that a name in a configuration means."""
    path = Path(name)
    if path.is_absolute() or path.exists():
        return path
    other = Path(place.file).parent / path
    return other if other.exists() else path


def _renewed(
    needs: Mapping[Id, N], before: Mapping[Id, T], read: Callable[[N, T | None], T], problems: list[Problem]
) -> dict[Id, T]:
    after: dict[Id, T] = {}
    for name, need in needs.items():
        old = before.get(name)
        try:
            after[name] = read(need, old)
        except CertificateError as error:
            problems.append(_problem(need, error, stays=old is not None))
            if old is not None:
                after[name] = old
    return after


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        remedy = "name a file that is there, and that this user may read"
        raise CertificateError(f"{path} cannot be read: {error.strerror or error}", remedy=remedy) from None
    if len(raw) > _MOST_BYTES:
        raise CertificateError(f"{path} is larger than any certificate")
    # PEM is ASCII (RFC 7468); what people write between the blocks is not.
    return raw.decode("utf-8", "replace")


def _problem(need: PairNeed | RootsNeed, error: CertificateError, *, stays: bool) -> Problem:
    what = f"the roots {_shown(need.content)}" if isinstance(need, RootsNeed) else _pair_shown(need)
    message = f"{what} cannot be used: {error.message}{'; what was before stays' if stays else ''}"
    return Problem(
        severity="error",
        kind="certificate",
        message=message,
        place=need.place,
        subject=need.subject,
        remedy=error.remedy,
    )


def _about_dates(need: PairNeed, material: Material, now: datetime) -> list[Problem]:
    """Warn of a certificate that no client accepts now."""
    if material.not_before <= now <= material.not_after:
        return []
    when = f"ended on {material.not_after:%Y-%m-%d}" if now > material.not_after else "is not valid yet"
    message = f"{_pair_shown(need)} {when}: clients refuse it"
    problem = Problem(severity="warning", kind="certificate", message=message, place=need.place, subject=need.subject)
    return [problem]


def _pair_shown(need: PairNeed) -> str:
    return f"the certificate {_shown(need.certificate)} with the key {_shown(need.key)}"


def _shown(name: str) -> str:
    return "written here" if is_pem(name) else name
