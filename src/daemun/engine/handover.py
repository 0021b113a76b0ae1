"""Hands certificates and secrets to an engine before the Plan that names them.

Facts (docs/reference/engine.md): each has a generation; a higher one under the same name is taken at once, the same one
changes nothing, a lower one is `stale`; what an applied Plan does not name is dropped; a new engine has none. Decisions:
a generation is the time in milliseconds at which a content was first handed over, so that it grows over restarts of the
control plane; when the clock was set back, the engine is asked what it has and gets one more than that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from daemun.engine.bundle import Bundle, KeyPair
from daemun.engine.client import CallRefused, Client
from daemun.engine.frames import Json

Content = KeyPair | str


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


class Handover:
    """Knows which generation each content has, and what the connected engine has of it."""

    def __init__(self, *, clock: Callable[[], int] = _milliseconds) -> None:
        self._clock = clock
        self._last = 0
        # By kind and name: the content and its generation, as handed over last.
        self._known: dict[tuple[str, str], tuple[Content, int]] = {}
        self._there: dict[tuple[str, str], int] = {}

    def forget_engine(self) -> None:
        """Another engine, or another connection: it is taken to have nothing."""
        self._there.clear()

    async def put(self, client: Client, bundle: Bundle) -> list[str]:
        """Put everything the engine does not have; return the names. Raises CallRefused, ConnectionLost."""
        put: list[str] = []
        for call, contents in _by_call(bundle).items():
            for name, content in contents.items():
                generation = self._generation(call, name, content)
                if self._there.get((call, name)) == generation:
                    continue
                await self._put_one(client, call, name, content, generation)
                put.append(name)
        return put

    def applied(self, bundle: Bundle) -> None:
        """A Plan was applied: the engine has dropped whatever it does not name."""
        named = {(call, name) for call, contents in _by_call(bundle).items() for name in contents}
        self._there = {key: generation for key, generation in self._there.items() if key in named}
        self._known = {key: known for key, known in self._known.items() if key in named}

    async def _put_one(self, client: Client, call: str, name: str, content: Content, generation: int) -> None:
        fields: dict[str, Json] = (
            {"content": content} if isinstance(content, str) else {"chain": content.chain, "key": content.key}
        )
        try:
            await client.call(call, name=name, generation=generation, **fields)
        except CallRefused as error:
            if error.kind != "stale":
                raise error.at(f"{_PLURAL[call]}.{name}") from None
            self._last = max(self._last, *(await _generations(client)).values(), generation)
            generation = self._next()
            await client.call(call, name=name, generation=generation, **fields)
        self._known[call, name] = (content, generation)
        self._there[call, name] = generation

    def _generation(self, call: str, name: str, content: Content) -> int:
        known = self._known.get((call, name))
        if known is not None and known[0] == content:
            return known[1]
        return self._next()

    def _next(self) -> int:
        self._last = max(self._last + 1, self._clock())
        return self._last


_PLURAL = {"put_certificate": "certificates", "put_secret": "secrets"}


def _by_call(bundle: Bundle) -> dict[str, Mapping[str, Content]]:
    return {"put_certificate": bundle.certificates, "put_secret": bundle.secrets}


async def _generations(client: Client) -> dict[str, int]:
    """Return the generation of everything the engine has."""
    stats = await client.call("stats")
    found: dict[str, int] = {}
    for kind in _PLURAL.values():
        there = stats.get(kind)
        for name, generation in there.items() if isinstance(there, dict) else ():
            if isinstance(generation, int):
                found[f"{kind}.{name}"] = generation
    return found
