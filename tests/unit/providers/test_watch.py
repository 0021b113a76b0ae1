"""Files that change in every way people and tools change them: each is noticed, within a second, once it is whole."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from daemun.providers.watch import changes

LIMIT = 20.0
Told = AsyncGenerator[None, None]


def watching(look: Callable[[], list[Path]], script: Callable[[Told], Awaitable[None]]) -> None:
    """Run a script with a stream of changes that has begun."""

    async def play() -> None:
        async with aclosing(changes(look)) as told:
            await anext(told)
            await script(told)

    asyncio.run(asyncio.wait_for(play(), LIMIT * 3))


async def expect_change(told: Told, change: Callable[[], object], *, within: float = LIMIT) -> float:
    """Make a change and wait for it to be told; return how long that took."""
    waiting = asyncio.ensure_future(anext(told))
    await asyncio.to_thread(change)
    begun = time.monotonic()
    await asyncio.wait_for(waiting, within)
    return time.monotonic() - begun


def rename_onto(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_rename_and_write(tmp_path: Path) -> None:
    """A rename onto the file, a write in place, its removal and its return."""
    file = tmp_path / "dynamic.toml"
    file.write_text("a = 1")

    async def script(told: Told) -> None:
        times = [
            await expect_change(told, lambda: rename_onto(file, "a = 2")),
            await expect_change(told, lambda: file.write_text("a = 34")),
            await expect_change(told, file.unlink),
            await expect_change(told, lambda: file.write_text("a = 5")),
        ]
        assert min(times) < 1, times

    watching(lambda: [file], script)


def test_same_size(tmp_path: Path) -> None:
    """Content of the same length is a change too."""
    file = tmp_path / "dynamic.toml"
    file.write_text("a = 1")

    async def script(told: Told) -> None:
        for number in range(2, 6):
            await expect_change(told, partial(file.write_text, f"a = {number}"))

    watching(lambda: [file], script)


def test_kubernetes(tmp_path: Path) -> None:
    """A ConfigMap's update: the file is a link through `..data`, and `..data` is swapped."""
    for version in ("1", "2"):
        (tmp_path / f"..v{version}").mkdir()
        (tmp_path / f"..v{version}" / "app.toml").write_text(f"v = {version}")
    (tmp_path / "..data").symlink_to("..v1")
    file = tmp_path / "app.toml"
    file.symlink_to("..data/app.toml")

    def swap() -> None:
        (tmp_path / "..data_tmp").symlink_to("..v2")
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")

    async def script(told: Told) -> None:
        await expect_change(told, swap)
        assert file.read_text() == "v = 2"

    watching(lambda: [file], script)


def test_link_elsewhere(tmp_path: Path) -> None:
    """A link's target in another directory is written in place, through a linked directory."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "srv" / "v1").mkdir(parents=True)
    (tmp_path / "srv" / "current").symlink_to("v1")
    (tmp_path / "srv" / "v1" / "app.toml").write_text("a = 1")
    file = tmp_path / "etc" / "app.toml"
    file.symlink_to("../srv/current/app.toml")

    async def script(told: Told) -> None:
        await expect_change(told, lambda: (tmp_path / "srv" / "v1" / "app.toml").write_text("a = 2 "))

    watching(lambda: [file], script)


def test_directory_appears(tmp_path: Path) -> None:
    """A file whose directory does not exist yet is noticed when both come."""
    file = tmp_path / "later" / "dynamic.toml"

    def make() -> None:
        file.parent.mkdir()
        file.write_text("a = 1")

    async def script(told: Told) -> None:
        await expect_change(told, make)
        await expect_change(told, lambda: file.write_text("a = 22"))

    watching(lambda: [file], script)


def test_directory_content(tmp_path: Path) -> None:
    """Files that come into a directory, and into one made in it, are noticed."""

    def look() -> list[Path]:
        return [tmp_path, *tmp_path.rglob("*")]

    async def script(told: Told) -> None:
        await expect_change(told, lambda: (tmp_path / "a.toml").write_text("a = 1"))
        await expect_change(told, (tmp_path / "sub").mkdir)
        await expect_change(told, lambda: (tmp_path / "sub" / "b.toml").write_text("b = 1"))
        await expect_change(told, (tmp_path / "a.toml").unlink)

    watching(look, script)


def test_half_written(tmp_path: Path) -> None:
    """A file that is emptied and filled a moment later is told once, filled."""
    file = tmp_path / "dynamic.toml"
    file.write_text("a = 1")
    seen: list[str] = []

    def write_slowly() -> None:
        with file.open("w") as writing:
            os.fsync(writing.fileno())
            time.sleep(0.2)  # the pause is what is tested
            writing.write("a = 2")

    async def script(told: Told) -> None:
        await expect_change(told, write_slowly)
        seen.append(file.read_text())

    watching(lambda: [file], script)
    assert seen == ["a = 2"]


@pytest.mark.parametrize("times", [5])
def test_nothing_is_told_twice(tmp_path: Path, times: int) -> None:
    """Each change is told once: the next telling belongs to the next change."""
    file = tmp_path / "dynamic.toml"
    file.write_text("0")
    seen: list[str] = []

    async def script(told: Told) -> None:
        for number in range(1, times + 1):
            await expect_change(told, partial(rename_onto, file, f"{number}"))
            seen.append(file.read_text())

    watching(lambda: [file], script)
    assert seen == [str(number) for number in range(1, times + 1)]
