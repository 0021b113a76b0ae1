"""Everything that can be handed over for a configuration: what lowering may name, and the bytes for the engine.

    Needs ─► files.py ─────────────┐
          ─► local.py, default.py ─┼─► Gathered: AtHand (names), materials and secrets (bytes)
    a CertificateSource (ACME) ────┘

Wishes are told to sources by whoever runs them (run/lowering.py), after the files were read and before `gather`, which
is given what they have. Blocking: files are read and keys are made here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from daemun.certificates.default import NAME, default_certificate
from daemun.certificates.files import Files, FilesRead
from daemun.certificates.local import RENEWED, LocalAuthority
from daemun.certificates.material import Material
from daemun.config.local_names import is_covered
from daemun.errors import CertificateError, Problem
from daemun.needs import FALLBACK, AtHand, Needs, Resolver, Wish
from daemun.plan.origin import Origin
from daemun.plan.scalars import Id
from daemun.plan.tls import Certificate


class CertificateSource(Protocol):
    """Obtains certificates: ACME. Its methods are called in the event loop's thread.

    Whoever makes it gives it a function to call, in that thread, when `materials` has changed by itself. Ids are its
    own; they differ from those of others when they begin with a word of its own, such as `acme:`.
    """

    async def want(self, resolvers: Sequence[Resolver], wishes: Sequence[Wish], covered: Collection[str]) -> None:
        """Take note of all certificates that are wished for now; those of before are forgotten.

        `covered` are names that certificates from files serve. Afterwards `materials` has what there is already.
        """

    def materials(self) -> Mapping[Id, Material]:
        """Return every certificate there is, in order of preference."""

    async def run(self) -> None:
        """Obtain and renew until cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What there is. `until` is when something of it must be made anew, None for never."""

    at_hand: AtHand
    materials: Mapping[Id, Material]
    secrets: Mapping[Id, str]
    problems: tuple[Problem, ...]
    until: datetime | None


class Gatherer:
    """Holds what outlives one configuration: the last good pairs, the local authority's certificates, the default."""

    def __init__(self, *, data_dir: Path) -> None:
        self._files = Files()
        self._local = LocalAuthority(data_dir)
        self._default: Material | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were read last, to be watched."""
        return self._files.paths

    def read(self, needs: Needs, *, now: datetime) -> FilesRead:
        """Read the files that are needed: the first half of `gather`."""
        return self._files.read(needs, now=now)

    def gather(self, needs: Needs, read: FilesRead, others: Mapping[Id, Material], *, now: datetime) -> Gathered:
        """Return what there is for these needs; `read` are the files, `others` the certificates of sources."""
        problems = list(read.problems)
        local = self._provide(needs, covered_names(needs, read), now, problems)
        ours = dict(local)
        fallback: Id | None = None
        if needs.terminates and (needs.default is None or needs.default not in read.materials):
            if self._default is None or self._default.not_after - RENEWED <= now:
                self._default = default_certificate(now=now)
            fallback = FALLBACK
            ours[FALLBACK] = self._default
        taken = {**read.materials, **(others if needs.terminates else {}), **ours}
        renewals = [material.not_after - RENEWED for material in ours.values()]
        return Gathered(
            at_hand=AtHand(
                certificates={name: _certificate(name, needs, material) for name, material in taken.items()},
                secrets=frozenset(read.secrets),
                fallback=fallback,
            ),
            materials=taken,
            secrets=read.secrets,
            problems=tuple(problems),
            until=min(renewals, default=None),
        )

    def _provide(
        self, needs: Needs, covered: Collection[str], now: datetime, problems: list[Problem]
    ) -> Mapping[Id, Material]:
        wanted = [name for name in needs.local if not is_covered(name, covered)]
        if not wanted:
            return {}
        try:
            return self._local.provide(wanted, now=now)
        except CertificateError as error:
            message = f"{', '.join(wanted)}: {error.message}; the default certificate is shown"
            problems.append(Problem(severity="error", kind="certificate", message=message, remedy=error.remedy))
            return {}


def covered_names(needs: Needs, read: FilesRead) -> frozenset[str]:
    """Return the names that certificates from files serve."""
    return frozenset(served for name in needs.shown if name in read.materials for served in read.materials[name].names)


def _certificate(name: Id, needs: Needs, material: Material) -> Certificate:
    """Return what the Plan says of a certificate; the fallback serves no name."""
    if name == FALLBACK:
        return Certificate(origin=Origin(name=NAME, file="", line=0), names=())
    need = needs.pairs.get(name)
    origin = need.origin if need is not None else Origin(name=name, file="", line=0)
    return Certificate(origin=origin, names=material.names)
