"""Our own application behind the engine, on pages.sock: started with the first thing to show, not before.

    AcmeSource ── tokens ─┐
                          ├─► Pages ─ uvicorn on pages.sock ◄─ engine
    FileSource ── view ───┘

What is imported for it takes memory: an instance with neither ACME nor the API pays nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemun.control.api import View


class Pages:
    """What is shown, and the server that shows it once there is something."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        # The answers to HTTP-01 challenges, by token.
        self.tokens: MutableMapping[str, str] = {}
        self._view: View | None = None
        self._needed = asyncio.Event()

    def need(self) -> None:
        """Serve from now on. To be called in the event loop's thread."""
        self._needed.set()

    def show(self, view: View | None) -> None:
        """Show this at /api from now on, None for nothing. To be called in the event loop's thread."""
        self._view = view
        if view is not None:
            self.need()

    async def run(self) -> None:
        """Serve until cancelled, once it is needed."""
        await self._needed.wait()
        from daemun.control.pages import pages
        from daemun.control.server import serving, unix_socket

        async with serving(pages(self.tokens, lambda: self._view), unix_socket(self.socket)):
            await asyncio.Event().wait()
