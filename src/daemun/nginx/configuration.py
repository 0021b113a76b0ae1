"""A configuration in nginx's language, read: what whoever runs it asks of any language (`daemun.run.language`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemun.engine_terms import EngineTerms
from daemun.errors import Problem
from daemun.needs import AtHand, Needs, Resolver
from daemun.nginx.lower import Draft
from daemun.plan.plan import Plan
from daemun.plan.scalars import Id


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLogTerms:
    """`error_log` in the words of `daemun.logs`; `file_path` is empty for standard error."""

    level: str
    file_path: str
    format: str = "common"
    no_color: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NginxConfiguration:
    """`directory` is where accounts and obtained certificates are kept unless `storage=` says otherwise."""

    draft: Draft
    directory: Path

    @property
    def log(self) -> ErrorLogTerms:
        """How the control plane logs; standard error when no `error_log` is named."""
        log = self.draft.error_log
        if log is None:
            return ErrorLogTerms(level="error", file_path="")
        return ErrorLogTerms(level=log.level, file_path=log.path)

    @property
    def complete(self) -> bool:
        """Nothing comes later."""
        return True

    @property
    def all_or_nothing(self) -> bool:
        """One error refuses the whole."""
        return True

    @property
    def endpoints_move(self) -> bool:
        """They are those of the file."""
        return False

    @property
    def engine(self) -> EngineTerms:
        """What `worker_processes`, `user` and the paths of temporary files say."""
        return self.draft.engine

    @property
    def secrets(self) -> Mapping[Id, str]:
        """Users of auth_basic."""
        return {name: text.decode("utf-8", "replace") for name, text in self.draft.secrets.items()}

    def needs(self) -> Needs:
        """Return the certificates and roots it needs."""
        return self.draft.needs

    def resolvers(self) -> Sequence[Resolver]:
        """Return who obtains certificates: by TLS-ALPN-01."""
        return [
            Resolver(
                name=name,
                ca_server=one.server,
                storage=one.storage or str(self.directory / "acme.json"),
                email=one.email,
                ca_certificates=one.roots,
                tls_challenge=True,
            )
            for name, one in self.draft.resolvers.items()
        ]

    def lower(self, at_hand: AtHand, *, pages: str) -> tuple[Plan, Sequence[Problem]]:
        """Return the Plan with what is at hand."""
        del pages  # nothing of ours is proxied to: challenges are answered in the handshake
        return self.draft.plan(at_hand), ()
