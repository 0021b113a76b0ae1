"""An nginx configuration as a stream: the file and what it includes, read, and again when one of them changes.

nginx.conf, includes ─ watched ─► read ─ lower ─┬─ set ────► Lowerer ─► Wanted
                                                └─ reject ─►          ─► Rejected (one error refuses the whole)
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from pathlib import Path

from daemun.errors import ConfigError
from daemun.nginx.certificates import Resolver
from daemun.nginx.configuration import NginxConfiguration
from daemun.nginx.lower import lower
from daemun.nginx.read import Read, read
from daemun.providers.watch import changes
from daemun.run.growing import growing
from daemun.run.lowering import Lowerer


class NginxFiles:
    """The file and what it includes, until cancelled.

    `directory` is for what is obtained; `acme` obtains certificates for servers with `ssl` that name none.
    """

    def __init__(self, config: Path, *, lowerer: Lowerer, directory: Path, acme: Resolver | None = None) -> None:
        self._config = config
        self._lowerer = lowerer
        self._directory = directory
        self._acme = acme
        self._found: Read | None = None
        self._beside: tuple[Path, ...] = ()
        self._applied = False
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Read, tell, watch. Raises ConfigError when the configuration cannot be used the first time."""
        certificates = asyncio.create_task(self._lowerer.run(), name="lowering")
        try:
            async with aclosing(changes(self._watched)) as told:
                async for _ in told:
                    await self.again()
        finally:
            certificates.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await certificates

    async def again(self) -> None:
        """Read everything again as if it had changed."""
        async with self._reading:
            found = await asyncio.to_thread(self._read)
            self._found = found
            try:
                configuration = await asyncio.to_thread(self._lower, found)
            except ConfigError as error:
                if not self._applied:
                    raise
                self._lowerer.reject(error.problems)
                return
            self._beside = configuration.draft.files
            await self._lowerer.set(configuration, said=configuration.draft.problems)
            self._applied = True

    def _watched(self) -> list[Path]:
        return [self._config] if self._found is None else [*self._found.watched(), *self._beside]

    @growing()
    def _read(self) -> Read:
        return read(self._config)

    @growing()
    def _lower(self, found: Read) -> NginxConfiguration:
        return NginxConfiguration(draft=lower(found, acme=self._acme), directory=self._directory)
