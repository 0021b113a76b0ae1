"""ACME as a source of certificates for lowering: started with the first resolver, not before.

    lowering ─ want ─► AcmeSource ─► daemun.acme.Acme ─ order ─► the authority
        ▲                  │              └─ answers: Pages (http-01), the engine's put_challenge (tls-alpn-01)
        └── changed ───────┘                 commands.sock: `daemun certs renew`

What is imported for it takes 25 MB: an instance without a resolver pays nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemun.certificates.material import Material
from daemun.engine.state import StateDir
from daemun.needs import Resolver, Wish
from daemun.plan.scalars import Id
from daemun.run.borders import Call, EngineBorder
from daemun.run.pages import Pages

if TYPE_CHECKING:
    from daemun.acme.acme import Acme


@dataclass(slots=True, kw_only=True)
class _Answers:
    """Where answers to challenges are put (daemun.acme.challenge.Challenges)."""

    call: Call
    tokens: MutableMapping[str, str]

    async def put(self, name: str, chain: str, key: str) -> None:
        await self.call("put_challenge", name=name, chain=chain, key=key)

    async def drop(self, name: str) -> None:
        await self.call("drop_challenge", name=name)


class AcmeSource:
    """One instance's certificates from ACME (certificates.gather.CertificateSource).

    `directory` is what a relative storage path is relative to, the working directory as in Traefik.
    """

    def __init__(
        self, *, state: StateDir, pages: Pages, directory: Path, engine: EngineBorder, changed: Callable[[], None]
    ) -> None:
        self._state = state
        self._pages = pages
        self._directory = directory
        self._engine = engine
        self._changed = changed
        self._answers = _Answers(call=engine.call, tokens=pages.tokens)
        self._acme: Acme | None = None
        self._needed = asyncio.Event()

    async def want(self, resolvers: Sequence[Resolver], wishes: Sequence[Wish], covered: Collection[str]) -> None:
        """Take what is wanted from now on; afterwards `materials` has what is stored."""
        if self._acme is None and not resolvers:
            return
        from daemun.acme import resolver as acme

        wanted = [acme.Wish(resolver=wish.resolver, names=wish.names, origin=wish.origin) for wish in wishes]
        if self._acme is None:
            self._acme = self._start()
        await self._acme.want(list(resolvers), wanted, covered)
        self._needed.set()

    def materials(self) -> Mapping[Id, Material]:
        """Return every certificate that can be used now."""
        return {} if self._acme is None else self._acme.materials()

    async def run(self) -> None:
        """Order and renew until cancelled, once there is a resolver and the engine serves."""
        await self._needed.wait()
        await self._engine.serves.wait()
        if self._acme is None:
            return
        from daemun.control.commands import commands
        from daemun.control.server import serving, unix_socket

        self._pages.need()
        async with serving(commands(self._acme), unix_socket(self._state.commands_socket)):
            await self._acme.run()

    def _start(self) -> Acme:
        from daemun.acme import status
        from daemun.acme.acme import Acme

        return Acme(
            directory=self._directory,
            challenges=self._answers,
            changed=self._changed,
            status_file=self._state.path / status.FILE,
        )
