"""Certificates handed over by generation, to an engine that is a few lines here: what it has, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from daemun.engine.bundle import Bundle, KeyPair
from daemun.engine.client import CallRefused, Client, connect
from daemun.engine.handover import Handover

ONE, TWO = KeyPair(chain="one", key="1"), KeyPair(chain="two", key="2")


class Engine:
    """Answers as docs/reference/engine.md says: certificates and secrets by generation."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, int]] = {"certificates": {}, "secrets": {}}
        self.calls: list[tuple[str, str]] = []
        self.bad: set[str] = set()

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        if call["call"] == "stats":
            return {"ok": self.there}
        kind = "certificates" if call["call"] == "put_certificate" else "secrets"
        name, generation = call["name"], call["generation"]
        self.calls.append((call["call"], name))
        if name in self.bad:
            return {"error": {"kind": "bad_certificate", "message": "the key is not the certificate's", "where": name}}
        if generation < self.there[kind].get(name, 0):
            return {"error": {"kind": "stale", "message": "older", "where": name}}
        self.there[kind][name] = generation
        return {"ok": {}}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(message: dict[str, Any]) -> None:
            body = json.dumps(message).encode()
            writer.write(struct.pack(">I", len(body)) + body)

        send({"event": "hello", "engine": "0", "plan_versions": [1], "pid": 1, "applied": 0, "started_ms": 0})
        try:
            while True:
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                call = json.loads(await reader.readexactly(length))
                send({"id": call["id"], **self.answer(call)})
        except asyncio.IncompleteReadError:
            writer.close()


def play(folder: Path, script: Callable[[Engine, Client], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = Engine()
        server = await asyncio.start_unix_server(engine.serve, str(folder / "sock"))
        async with await connect(folder / "sock") as client:
            await script(engine, client)
        server.close()

    asyncio.run(run())


def bundle(**certificates: KeyPair) -> Bundle:
    return Bundle(plan=b"{}", certificates=certificates)


def test_only_what_changed(tmp_path: Path) -> None:
    """The same content is not put twice; a new one has a higher generation."""

    async def script(engine: Engine, client: Client) -> None:
        handover = Handover(clock=lambda: 1000)
        assert await handover.put(client, bundle(a=ONE, b=ONE)) == ["a", "b"]
        assert await handover.put(client, bundle(a=ONE, b=ONE)) == []
        first = engine.there["certificates"]["a"]
        assert await handover.put(client, bundle(a=TWO, b=ONE)) == ["a"]
        assert engine.there["certificates"]["a"] > first
        assert first >= 1000

    play(tmp_path, script)


def test_a_new_engine_gets_everything(tmp_path: Path) -> None:
    """With the generations the contents had: what an adopted engine has already changes nothing there."""

    async def script(engine: Engine, client: Client) -> None:
        handover = Handover()
        await handover.put(client, bundle(a=ONE))
        before = dict(engine.there["certificates"])
        handover.forget_engine()
        assert await handover.put(client, bundle(a=ONE)) == ["a"]
        assert engine.there["certificates"] == before

    play(tmp_path, script)


def test_what_was_dropped_is_put_again(tmp_path: Path) -> None:
    """An applied Plan drops what it does not name; whoever names it later gets it anew."""

    async def script(_engine: Engine, client: Client) -> None:
        handover = Handover()
        await handover.put(client, bundle(a=ONE, b=ONE))
        handover.applied(bundle(a=ONE))
        assert await handover.put(client, bundle(a=ONE, b=ONE)) == ["b"]

    play(tmp_path, script)


def test_another_control_plane(tmp_path: Path) -> None:
    """Its generations are higher than those of the one before, also when the clock was set back."""

    async def script(engine: Engine, client: Client) -> None:
        await Handover(clock=lambda: 5000).put(client, bundle(a=ONE))
        await Handover(clock=lambda: 6000).put(client, bundle(a=TWO))
        assert engine.there["certificates"]["a"] == 6000
        late = Handover(clock=lambda: 10)
        assert await late.put(client, bundle(a=ONE)) == ["a"]
        assert engine.there["certificates"]["a"] > 6000
        assert await late.put(client, bundle(a=TWO)) == ["a"]
        assert engine.calls[-1] == ("put_certificate", "a")

    play(tmp_path, script)


def test_secrets(tmp_path: Path) -> None:
    """They go the same way."""

    async def script(engine: Engine, client: Client) -> None:
        await Handover().put(client, Bundle(plan=b"{}", secrets={"roots": "PEM"}))
        assert set(engine.there["secrets"]) == {"roots"}

    play(tmp_path, script)


def test_a_refusal_has_a_place(tmp_path: Path) -> None:
    """It names the Plan's object, which leads to the user's file; nothing is remembered of it."""

    async def script(engine: Engine, client: Client) -> None:
        engine.bad = {"a"}
        handover = Handover()
        with pytest.raises(CallRefused) as refused:
            await handover.put(client, bundle(a=ONE))
        assert (refused.value.kind, refused.value.where) == ("bad_certificate", "certificates.a")
        engine.bad = set()
        assert await handover.put(client, bundle(a=ONE)) == ["a"]

    play(tmp_path, script)
