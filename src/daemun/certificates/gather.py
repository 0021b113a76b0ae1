"""Everything that can be handed over for a configuration: what lowering may name, and the bytes for the engine.

    Needs ─► files.py ─────────────┐
          ─► local.py, default.py ─┼─► Gathered: AtHand (names), materials and secrets (bytes), wishes that are left
    a CertificateSource (ACME) ────┘

Wishes are told to sources by whoever runs them (run/lowering.py); what they have is given to `gather`. A name that a
file's certificate covers is nobody's wish. Blocking: files are read and keys are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from daemun.certificates.default import NAME, default_certificate
from daemun.certificates.files import Files
from daemun.certificates.local import RENEWED, LocalAuthority
from daemun.certificates.material import Material
from daemun.config.local_names import is_covered
from daemun.errors import CertificateError, Problem
from daemun.plan.origin import Origin
from daemun.plan.scalars import Id
from daemun.plan.tls import Certificate
from daemun.traefik.certificate_needs import Needs, Wish
from daemun.traefik.lower_tls import FALLBACK, AtHand
from daemun.traefik.resolvers import Resolver


class CertificateSource(Protocol):
    """Obtains certificates: ACME. Its methods are called in the event loop's thread and must not block.

    Whoever makes it gives it a function to call, in that thread, when `materials` has changed. Ids are its own; they
    must differ from those of other sources (`acme-NAME` is a good one) and hold no slash.
    """

    def want(self, resolvers: Mapping[str, Resolver], wishes: Sequence[Wish]) -> None:
        """Take note of all certificates that are wished for now; those of before are forgotten."""

    def materials(self) -> Mapping[Id, Material]:
        """Return every certificate there is, in order of preference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What there is. `until` is when something of it must be made anew, None for never."""

    at_hand: AtHand
    materials: Mapping[Id, Material]
    secrets: Mapping[Id, str]
    wishes: tuple[Wish, ...]
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

    def gather(self, needs: Needs, others: Mapping[Id, Material], *, now: datetime) -> Gathered:
        """Return what there is for these needs; `others` are the certificates of sources."""
        read = self._files.read(needs, now=now)
        problems = list(read.problems)
        shown = [read.materials[name] for name in needs.shown if name in read.materials]
        covered = [name for material in shown for name in material.names]
        local = self._provide(needs, covered, now, problems)
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
                certificates={name: _named(name, needs, material) for name, material in taken.items()},
                secrets=frozenset(read.secrets),
                fallback=fallback,
            ),
            materials=taken,
            secrets=read.secrets,
            wishes=_uncovered(needs.wishes, covered),
            problems=tuple(problems),
            until=min(renewals, default=None),
        )

    def _provide(
        self, needs: Needs, covered: Sequence[str], now: datetime, problems: list[Problem]
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


def _named(name: Id, needs: Needs, material: Material) -> Certificate:
    """Return what the Plan says of a certificate; the fallback serves no name."""
    if name == FALLBACK:
        return Certificate(origin=Origin(name=NAME, file="", line=0), names=())
    need = needs.pairs.get(name)
    origin = need.origin if need is not None else Origin(name=name, file="", line=0)
    return Certificate(origin=origin, names=material.names)


def _uncovered(wishes: Sequence[Wish], covered: Sequence[str]) -> tuple[Wish, ...]:
    left = (replace(wish, names=tuple(name for name in wish.names if not is_covered(name, covered))) for wish in wishes)
    return tuple(wish for wish in left if wish.names)
