"""What an engine gets: a Plan, and the certificates and secrets that it names (DESIGN.md, law 7: never within it).

Made from what is at hand (run/lowering.py), handed over by handover.py. Values: two bundles are equal when they say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from daemun.plan.endpoints import balanced, bare, digest
from daemun.plan.plan import Plan, to_jsons
from daemun.plan.service import Balanced

if TYPE_CHECKING:
    from daemun.certificates.material import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A certificate with its chain, and its key, as PEM texts."""

    chain: str = field(repr=False)
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A Plan as JSON, and by id everything it names that does not stand in it.

    `shape` is a digest of the Plan without endpoints, `balanced` has these of each service; empty where endpoints do
    not change by themselves.
    """

    plan: bytes = field(repr=False)
    shape: bytes = field(default=b"", repr=False)
    balanced: Mapping[str, Balanced] = field(default_factory=dict, repr=False)
    certificates: Mapping[str, KeyPair] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def refreshed(self, newer: Bundle) -> Bundle:
        """Return this bundle with the newer contents of what it names."""
        return replace(
            self,
            certificates={name: newer.certificates.get(name, pair) for name, pair in self.certificates.items()},
            secrets={name: newer.secrets.get(name, content) for name, content in self.secrets.items()},
        )

    def moved(self, newer: Bundle) -> list[str] | None:
        """Return the services whose endpoints alone differ; None when anything else of the Plan does."""
        if not self.shape or self.shape != newer.shape:
            return None
        return [name for name, kind in newer.balanced.items() if self.balanced[name].generation != kind.generation]


def bundle_of(
    plan: Plan,
    *,
    materials: Mapping[str, Material],
    roots: Mapping[str, str],
    secrets: Mapping[str, str],
    moving: bool = False,
) -> Bundle:
    """Return the Plan with what it names of certificates and roots, and with the configuration's own secrets.

    `moving` where endpoints come and go by themselves.
    """
    text, *without = to_jsons(plan, *([bare(plan)] if moving else []))
    certificates = {name: materials[name] for name in plan.certificates}
    named = (name for made in plan.transports.values() if made.tls is not None for name in made.tls.roots)
    return Bundle(
        plan=text,
        shape=digest(without[0]) if without else b"",
        balanced=balanced(plan) if without else {},
        certificates={name: KeyPair(chain=one.chain, key=one.key) for name, one in certificates.items()},
        secrets={**secrets, **{name: roots[name] for name in named}},
    )
