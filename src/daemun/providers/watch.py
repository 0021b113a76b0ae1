"""Tells when files have changed, whatever way: a rename onto them, a write in place, a swapped symbolic link.

Facts: editors and deployment tools rename a new file onto the old one; `cat >` and `cp` truncate and write;
Kubernetes mounts `app.toml -> ..data/app.toml` and `..data -> ..2026_01_01`, and swaps the second link.

Decisions: directories are watched, not files, and of every link on the way the directory it stands in. An event only
says "look": what counts is the stat of the files. File systems that tell nothing (NFS, some mounts of a virtual
machine) are looked at twice a second all the same. A change is told when two looks in a row saw the same, so that a
file being written is not read half; one that became empty gets more time, for somebody is about to fill it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

# Two looks this far apart must agree, seconds.
_SETTLE = 0.05
# What never settles, or stays empty, is told after this all the same.
_LONGEST_SETTLE = 0.6
_POLL_MS = 500
_DEBOUNCE_MS = 50
_STEP_MS = 10
# As many links as Linux follows (path_resolution(7)).
_MOST_LINKS = 40

Look = Callable[[], Iterable[Path]]
Stamp = tuple[int, int, int, int]
Seen = dict[Path, Stamp | None]


async def changes(look: Look) -> AsyncGenerator[None, None]:
    """Yield once at the start, then each time the files and directories that `look` names have changed.

    `look` is asked again and again, for a directory's files come and go.
    """
    seen = _stamps(look())
    yield
    while True:
        paths = list(look())
        watched = _directories(paths)
        events = awatch(
            *watched,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_POLL_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        async with aclosing(events) as told:
            async for _ in told:
                now = _stamps(look())
                if now != seen:
                    seen = await _settled(look, before=seen)
                    yield
                if _directories(look()) != watched:
                    break


def _stamps(paths: Iterable[Path]) -> Seen:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    if path.is_dir():
        return (stat.st_dev, stat.st_ino, 0, 0)  # its files count, each for itself
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


async def _settled(look: Look, *, before: Seen) -> Seen:
    """Look until nothing changes any more."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _LONGEST_SETTLE
    last = _stamps(look())
    while loop.time() < end:
        await asyncio.sleep(_SETTLE)
        now = _stamps(look())
        if now == last and not _emptied(now, before):
            break
        last = now
    return last


def _emptied(now: Seen, before: Seen) -> bool:
    """Tell whether a file that had something in it has nothing now, or is gone for the moment."""
    return any(old is not None and old[2] and (new := now.get(path)) is not None and not new[2]
               for path, old in before.items())  # fmt: skip


def _directories(paths: Iterable[Path]) -> set[Path]:
    """Return the directories in which an entry must change for one of these paths to change."""
    found: set[Path] = set()
    for path in paths:
        _follow(Path(os.path.abspath(path)), found, _MOST_LINKS)  # noqa: PTH100 - resolve() would follow the links
    return found


def _follow(path: Path, found: set[Path], links: int) -> None:
    here = Path(path.anchor)
    steps = path.parts[1:]
    for index, step in enumerate(steps):
        below = here / step
        if below.is_symlink() and links > 0:
            found.add(here)
            target = here / below.readlink()
            rest = Path(os.path.normpath(target), *steps[index + 1 :])
            _follow(rest, found, links - 1)
            return
        if not below.exists():
            found.add(here)  # whatever is missing will appear here
            return
        here = below
    found.add(here if here.is_dir() else here.parent)
