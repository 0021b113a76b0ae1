"""What the supervisor is told to want: files read, lowered and watched, without any engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from daemun.errors import ConfigError
from daemun.run.borders import Rejected, Tell, Wanted
from daemun.run.lowering import Lowerer
from daemun.run.wanted import FileSource
from daemun.traefik.sources import StaticSources

LIMIT = 20.0
STATIC = """
[entryPoints.web]
address = ":8000"
[entryPoints.web.transport.lifeCycle]
requestAcceptGraceTimeout = "2s"
graceTimeOut = "5s"
[providers.file]
filename = "dynamic.toml"
"""
DYNAMIC = """
[http.routers.a]
rule = "PathPrefix(`/a`)"
service = "s"
[http.services.s.loadBalancer]
servers = [{url = "http://127.0.0.1:9000"}]
"""

Told = asyncio.Queue[Wanted | Rejected]


def write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def source_of(directory: Path, tell: Tell) -> FileSource:
    """A source of `daemun.toml`."""
    return FileSource(
        StaticSources(file=directory / "daemun.toml"), lowerer=Lowerer(tell=tell, data_dir=directory / "data")
    )


def following(directory: Path, script: Callable[[Callable[[], Awaitable[Any]]], Awaitable[None]]) -> None:
    """Run a script with a source of `daemun.toml`; its argument waits for what is told next."""

    async def play() -> None:
        told: Told = asyncio.Queue()
        source = asyncio.create_task(source_of(directory, told.put_nowait).run())
        try:
            await script(lambda: asyncio.wait_for(told.get(), LIMIT))
        finally:
            source.cancel()
            await asyncio.gather(source, return_exceptions=True)

    asyncio.run(play())


def routes(wanted: Wanted) -> set[str]:
    return set(json.loads(wanted.plan)["routes"])


def test_files(tmp_path: Path) -> None:
    """The first reading, a change of each file, and one that does not parse."""
    write(tmp_path / "daemun.toml", STATIC)
    write(tmp_path / "dynamic.toml", DYNAMIC)

    async def script(told: Callable[[], Awaitable[Any]]) -> None:
        first = await told()
        assert routes(first) == {"a@file"}
        assert first.complete
        assert first.grace == 7.0
        write(tmp_path / "dynamic.toml", DYNAMIC.replace("routers.a", "routers.b"))
        assert routes(await told()) == {"b@file"}
        write(tmp_path / "dynamic.toml", "[http")
        rejected = await told()
        assert isinstance(rejected, Rejected)
        assert str(rejected.problems[0].place).startswith(f"{tmp_path}/dynamic.toml:1:")
        write(tmp_path / "daemun.toml", STATIC.replace(":8000", ":8001"))
        moved = await told()
        assert json.loads(moved.plan)["listeners"]["web"]["bind"]["tcp"]["port"] == 8001
        assert routes(moved) == {"b@file"}, "what was before the broken file stays"
        write(tmp_path / "daemun.toml", "[entryPoints")
        assert isinstance(await told(), Rejected)

    following(tmp_path, script)


def test_another_provider(tmp_path: Path) -> None:
    """The static file names another file: it is read and followed instead."""
    write(tmp_path / "daemun.toml", STATIC)
    write(tmp_path / "dynamic.toml", DYNAMIC)
    write(tmp_path / "other.toml", DYNAMIC.replace("routers.a", "routers.other"))

    async def script(told: Callable[[], Awaitable[Any]]) -> None:
        await told()
        write(tmp_path / "daemun.toml", STATIC.replace("dynamic.toml", "other.toml"))
        assert routes(await told()) == {"other@file"}
        write(tmp_path / "dynamic.toml", DYNAMIC.replace("routers.a", "routers.unheard"))
        write(tmp_path / "other.toml", DYNAMIC.replace("routers.a", "routers.heard"))
        assert routes(await told()) == {"heard@file"}

    following(tmp_path, script)


def test_unreadable_from_the_start(tmp_path: Path) -> None:
    """Without the dynamic file the entry points are wanted all the same, marked as incomplete."""
    write(tmp_path / "daemun.toml", STATIC)

    async def script(told: Callable[[], Awaitable[Any]]) -> None:
        assert isinstance(await told(), Rejected)
        wanted = await told()
        assert not wanted.complete
        assert routes(wanted) == set()
        write(tmp_path / "dynamic.toml", DYNAMIC)
        whole = await told()
        assert whole.complete
        assert routes(whole) == {"a@file"}

    following(tmp_path, script)


def test_watch_off(tmp_path: Path) -> None:
    """`watch = false` reads once; the static file is followed still."""
    write(tmp_path / "daemun.toml", STATIC + "watch = false\n")
    write(tmp_path / "dynamic.toml", DYNAMIC)

    async def script(told: Callable[[], Awaitable[Any]]) -> None:
        await told()
        write(tmp_path / "dynamic.toml", DYNAMIC.replace("routers.a", "routers.unheard"))
        write(tmp_path / "daemun.toml", STATIC.replace(":8000", ":8001") + "watch = false\n")
        assert routes(await told()) == {"a@file"}

    following(tmp_path, script)


def test_broken_static_file(tmp_path: Path) -> None:
    """A static file that cannot be used the first time ends the source with everything wrong in it."""
    write(tmp_path / "daemun.toml", '[entryPoints.web]\naddres = ":80"\n[entryPoint]\n')
    with pytest.raises(ConfigError) as wrong:
        asyncio.run(source_of(tmp_path, lambda _: None).run())
    assert len([problem for problem in wrong.value.problems if problem.is_error]) == 2
