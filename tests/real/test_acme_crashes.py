"""Crashes and company: processes that are killed in the middle of an order, and several with one storage file."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemun.acme import store
from daemun.acme.account import open_session
from daemun.acme.journal import Journal
from daemun.acme.resolver import Resolver
from tests.kit.acme import Answers, TokenFolder
from tests.kit.acme_process import STEPS, start
from tests.kit.pebble import Pebble
from tests.kit.waiting import LIMIT


@pytest.fixture
def ca() -> Iterator[Pebble]:
    with Pebble() as running:
        yield running


def options(ca: Pebble, path: Path, *names: str, **more: Any) -> dict[str, Any]:
    (path / "tokens").mkdir(exist_ok=True)
    resolver = {
        "name": "le",
        "ca_server": ca.directory,
        "storage": "acme.json",
        "ca_certificates": [str(ca.root)],
        "http_entry_point": "web",
    }
    return {
        "directory": str(path),
        "tokens": str(path / "tokens"),
        "resolver": resolver,
        "names": names,
        "http_port": ca.http_port,
        **more,
    }


async def ended(*processes: subprocess.Popen[bytes]) -> list[int]:
    """Wait for the processes; print what they said."""
    said = await asyncio.wait_for(asyncio.gather(*(asyncio.to_thread(p.communicate) for p in processes)), LIMIT * 2)
    for output, _ in said:
        print(output.decode())
    return [process.returncode for process in processes]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", list(STEPS))
def test_killed(ca: Pebble, tmp_path: Path, step: str, when: str) -> None:
    """Killed at any step, the next start ends what was begun: one account, and no certificate more than is needed."""

    async def scenario() -> None:
        answers = Answers(TokenFolder(tmp_path / "tokens"))
        wanted = options(ca, tmp_path, "k.example.com")
        async with answers.at(http_port=ca.http_port, tls_port=None):
            assert await ended(start(**wanted, die=step, when=when)) == [-9]
            issued = ca.said("Issued certificate")
            storage = tmp_path / "acme.json"
            store.read(storage)  # raises when it is damaged
            assert await ended(start(**wanted)) == [0]
        assert ca.said("There are now 2 accounts") == 0
        assert ca.said("There are now 1 accounts") == 1
        # What was finalized before is fetched after; nothing is issued twice.
        assert ca.said("Issued certificate") == 1
        assert issued == (1 if (step, when) in ISSUED else 0)
        found, problems = store.read(storage).certificates("le")
        assert [one.names for one in found] == [("k.example.com",)]
        assert problems == []
        journal = json.loads((tmp_path / "acme.json.journal").read_text())
        assert (journal["accounts"], journal["orders"], journal["failures"]) == ({}, {}, {})

    asyncio.run(scenario())


ISSUED = {
    ("finalize", "after"),
    *((step, when) for step in ("chains", "certificate", "finish") for when in ("before", "after")),
}
"""Where the authority has issued the certificate before the process dies. (The storage is first updated earlier.)"""


def test_three_processes(ca: Pebble, tmp_path: Path) -> None:
    """Three processes with one file and the same wishes: one account, each name ordered once, nothing lost."""

    async def scenario() -> None:
        names = [f"p{number}.example.com" for number in range(6)]
        answers = Answers(TokenFolder(tmp_path / "tokens"))
        async with answers.at(http_port=ca.http_port, tls_port=None):
            wanted = options(ca, tmp_path, *names)
            assert await ended(*(start(**wanted) for _ in range(3))) == [0, 0, 0]
        found, problems = store.read(tmp_path / "acme.json").certificates("le")
        assert sorted(one.names for one in found) == [(name,) for name in names]
        assert problems == []
        assert ca.said("Issued certificate") == 6
        assert ca.said("There are now 2 accounts") == 0

    asyncio.run(scenario())


def test_account_of_another_process_comes_between(ca: Pebble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that another process registers while we read the storage is ours too."""
    resolver = Resolver(
        name="le",
        ca_server=ca.directory,
        storage="acme.json",
        ca_certificates=(str(ca.root),),
        http_entry_point="web",
    )
    found: list[str] = []
    keep_first = Journal.keep_first

    def session() -> str:
        return open_session(resolver, directory=tmp_path, now=lambda: datetime.now(UTC)).uri

    def keep_after_another(journal: Journal, *given: Any, **named: Any) -> Any:
        monkeypatch.setattr(Journal, "keep_first", keep_first)
        found.append(session())
        return keep_first(journal, *given, **named)

    monkeypatch.setattr(Journal, "keep_first", keep_after_another)
    found.append(session())
    assert found[0] == found[1]
    assert ca.said("There are now 1 accounts") == 1
    assert ca.said("There are now 2 accounts") == 0


def test_two_resolvers_of_two_processes(ca: Pebble, tmp_path: Path) -> None:
    """Two processes write different resolvers into one file at the same time: both are in it."""

    async def scenario() -> None:
        names = [f"q{number}.example.com" for number in range(5)]
        answers = Answers(TokenFolder(tmp_path / "tokens"))
        async with answers.at(http_port=ca.http_port, tls_port=None):
            both = [options(ca, tmp_path, *names) for _ in range(2)]
            both[1]["resolver"]["name"] = "other"
            assert await ended(*(start(**wanted) for wanted in both)) == [0, 0]
        storage = store.read(tmp_path / "acme.json")
        assert [len(storage.certificates(name)[0]) for name in ("le", "other")] == [5, 5]

    asyncio.run(scenario())
