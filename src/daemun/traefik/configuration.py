"""A configuration in Traefik's language, read: what whoever runs it asks of any language (`daemun.run.language`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from daemun.engine_terms import EngineTerms
from daemun.errors import Problem
from daemun.needs import AtHand, Needs, Resolver
from daemun.plan.plan import Plan
from daemun.plan.scalars import Id
from daemun.traefik.certificate_needs import certificate_needs
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.logs import Log
from daemun.traefik.lower import lower
from daemun.traefik.resolvers import needed_resolver
from daemun.traefik.static import Static


@dataclass(frozen=True, slots=True, kw_only=True)
class TraefikConfiguration:
    """The static part and the dynamic one; it is not complete while a provider has not said its part."""

    static: Static
    dynamic: Dynamic
    complete: bool = True
    # Who else wants to know what it became.
    lowered: Callable[[Plan, Sequence[Problem]], None] | None = field(default=None, compare=False)

    @property
    def log(self) -> Log:
        """How the control plane logs."""
        return self.static.log

    @property
    def all_or_nothing(self) -> bool:
        """Whether one error refuses the whole: Traefik serves the rest."""
        return False

    @property
    def endpoints_move(self) -> bool:
        """Providers tell of servers that come and go."""
        return True

    @property
    def engine(self) -> EngineTerms:
        """Nothing is said of the process."""
        return EngineTerms()

    @property
    def secrets(self) -> Mapping[Id, str]:
        """Secrets that the configuration itself holds."""
        return {}

    def needs(self) -> Needs:
        """Return the certificates and roots it needs."""
        return certificate_needs(self.static, self.dynamic)[0]

    def resolvers(self) -> Sequence[Resolver]:
        """Return who obtains certificates."""
        named = self.static.certificates_resolvers.items()
        return [needed_resolver(name, one.acme) for name, one in named if one.acme is not None]

    def lower(self, at_hand: AtHand, *, pages: str) -> tuple[Plan, Sequence[Problem]]:
        """Return the Plan with what is at hand, and what of it is not served."""
        plan, problems = lower(self.static, self.dynamic, at_hand=at_hand, pages=pages)
        if self.lowered is not None:
            self.lowered(plan, problems)
        return plan, problems
