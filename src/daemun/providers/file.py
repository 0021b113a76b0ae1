"""The file provider: one file, or every file of a directory, as a stream of dynamic configurations.

    files ── watch.changes ──► read again ──► Read | Unreadable

Every change gives the whole configuration anew. A file that does not parse gives Unreadable: whoever takes the stream
keeps what it had. Which files there are is Traefik's business (`dynamic_files`); nothing is merged or lowered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

from daemun.errors import ConfigError
from daemun.providers.said import Read, Unreadable
from daemun.providers.watch import changes
from daemun.traefik.read import dynamic_files, load_dynamic
from daemun.traefik.static import Static


async def configurations(static: Static, *, beside: Path | None) -> AsyncGenerator[Read | Unreadable, None]:
    """Yield what `providers.file` says, at once and, unless `watch` is off, after each change.

    `beside` is the static file, for relative names. Ends at once when there is no such provider.
    """
    provider = static.providers.file
    if provider is None:
        return
    if not provider.watch:
        yield await asyncio.to_thread(_read, static, beside)
        return
    async with aclosing(changes(lambda: _looked_at(static, beside))) as told:
        async for _ in told:
            yield await asyncio.to_thread(_read, static, beside)


def _read(static: Static, beside: Path | None) -> Read | Unreadable:
    try:
        dynamic, problems = load_dynamic(dynamic_files(static, beside=beside))
    except ConfigError as error:
        return Unreadable(problems=error.problems)
    return Read(dynamic=dynamic, problems=tuple(problems))


def _looked_at(static: Static, beside: Path | None) -> Iterator[Path]:
    """Name the files, and for a directory every directory in it: what appears there counts."""
    provider = static.providers.file
    if provider is not None and provider.directory:
        root = Path(provider.directory)
        if not root.is_absolute() and beside is not None and not root.exists():
            root = beside.parent / root
        yield root
        yield from (path for path in root.rglob("*") if path.is_dir())
    try:
        yield from dynamic_files(static, beside=beside)
    except ConfigError:
        return
