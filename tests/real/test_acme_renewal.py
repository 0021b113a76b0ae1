"""Renewal with a real authority: by its suggestion (RFC 9773), by lifetime, by command."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemun.certificates.material import Material
from tests.kit.acme import Run, certificates, resolver, wish
from tests.kit.pebble import Pebble


@pytest.fixture(scope="module")
def ca() -> Iterator[Pebble]:
    with Pebble() as running:
        yield running


def leaf(material: Material) -> str:
    return material.chain.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"


def window(start: timedelta, end: timedelta, **more: str) -> str:
    now = datetime.now(UTC)
    suggested = {"start": (now + start).isoformat(), "end": (now + end).isoformat()}
    return json.dumps({"suggestedWindow": suggested, **more})


async def renewal(run: Run, by: str) -> dict[str, Any]:
    return await run.until(
        lambda: next((row for row in run.rows() if row["renewal_by"] == by), None), what=f"a renewal by {by}"
    )


async def renewed(run: Run, before: Material) -> Material:
    return await run.until(
        lambda: next((m for m in run.materials().values() if m.names == before.names and m != before), None),
        what="another certificate",
    )


def test_suggested_window(ca: Pebble) -> None:
    """The moment is drawn from the authority's window; when it comes, the order says which certificate it replaces."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "ari.example.com", draw=lambda: 0.25) as run:
            before = await run.certificate("ari.example.com")
            row = await renewal(run, "ari")
            # Pebble suggests two days around two thirds of the lifetime.
            middle = before.not_after - (before.not_after - before.not_before) / 3
            assert abs(datetime.fromisoformat(row["renewal"]) - (middle - timedelta(hours=12))) < timedelta(minutes=1)
            replacements = ca.said("is a replacement of")
            await run.later(datetime.fromisoformat(row["renewal"]) - run.clock.now() - timedelta(hours=7))
            await run.until(lambda: asked(run) > run.clock.now(), what="another question")
            assert run.found(["ari.example.com"]) == before
            await run.later(timedelta(hours=7))
            after = await renewed(run, before)
            assert ca.said("is a replacement of") == replacements + 1
            assert set(run.materials()) == {"acme:le:ari.example.com"}, "the id stays"
            assert after.key == before.key, "and so does the key"
            assert len(json.loads((run.directory / "acme.json").read_text())["le"]["Certificates"]) == 1

    asyncio.run(scenario())


def asked(run: Run) -> datetime:
    entries = json.loads((run.directory / "acme.json.journal").read_text())["renewals"]
    return min(datetime.fromisoformat(entry["ask_at"]) for entry in entries.values())


def test_moved_window(ca: Pebble) -> None:
    """A window that the authority moves into the past (a revocation) is noticed at the next question; its page is told."""

    async def scenario() -> None:
        page = "https://example.com/incident"
        with capture_logs() as lines:
            async with certificates(ca, resolver(ca), "moved.example.com") as run:
                before = await run.certificate("moved.example.com")
                await renewal(run, "ari")
                past = window(timedelta(hours=-2), timedelta(hours=-1), explanationURL=page)
                ca.suggest(leaf(before), past)
                await run.later(timedelta(hours=6, minutes=1))
                await renewed(run, before)
        assert [line["page"] for line in lines if "explains" in line["event"]] == [page]

    asyncio.run(scenario())


def test_drawn_once(ca: Pebble, tmp_path: Path) -> None:
    """The drawn moment outlives a restart, and is not drawn again while the window stays."""

    async def scenario(directory: Path) -> None:
        async with certificates(ca, resolver(ca), "once.example.com", directory=directory, draw=lambda: 0.1) as run:
            await run.certificate("once.example.com")
            first = (await renewal(run, "ari"))["renewal"]
        async with certificates(
            ca, resolver(ca), "once.example.com", directory=directory, draw=lambda: 0.9, serve=False
        ) as run:
            assert (await renewal(run, "ari"))["renewal"] == first
            questions = ca.said("GET /draft-ietf-acme-ari-03")
            await run.later(timedelta(hours=6, minutes=1))
            await run.until(lambda: ca.said("GET /draft-ietf-acme-ari-03") == questions + 1, what="one more question")
            await run.until(lambda: asked(run) > run.clock.now(), what="its answer kept")
            assert (await renewal(run, "ari"))["renewal"] == first

    asyncio.run(scenario(tmp_path))


@pytest.mark.parametrize("nonsense", ["{", "{}", '{"suggestedWindow": {"start": "never"}}', "backwards"])
def test_unusable_window(ca: Pebble, tmp_path: Path, nonsense: str) -> None:
    """An answer without a usable window leaves the renewal to the remaining lifetime: a month before the end."""
    number = abs(hash(nonsense))
    if nonsense == "backwards":
        nonsense = window(timedelta(days=2), timedelta(days=1))

    async def scenario(directory: Path) -> None:
        name = f"nonsense{number}.example.com"
        async with certificates(ca, resolver(ca), name, directory=directory) as run:
            material = await run.certificate(name)
            await renewal(run, "ari")
            ca.suggest(leaf(material), nonsense)
        (directory / "acme.json.journal").unlink()
        async with certificates(ca, resolver(ca), name, directory=directory, draw=lambda: 0.5) as run:
            await run.until(lambda: asked(run) > run.clock.now(), what="the answer kept")
            row = await renewal(run, "lifetime")
            expected = material.not_after - timedelta(days=30) + timedelta(hours=12)
            assert abs(datetime.fromisoformat(row["renewal"]) - expected) < timedelta(seconds=2)
            await run.later(datetime.fromisoformat(row["renewal"]) - run.clock.now())
            await renewed(run, material)

    asyncio.run(scenario(tmp_path))


def test_already_replaced(ca: Pebble, tmp_path: Path) -> None:
    """An authority that does not take an order as a replacement, since there was one already, gets a plain order."""

    async def scenario(one: Path, two: Path) -> None:
        async with certificates(ca, resolver(ca), "twice.example.com", directory=one) as run:
            before = await run.certificate("twice.example.com")
            await renewal(run, "ari")
            await asyncio.to_thread(shutil.copytree, one, two, dirs_exist_ok=True)
            assert run.acme.renew("twice.example.com") == ["acme:le:twice.example.com"]
            await renewed(run, before)
        with capture_logs() as lines:
            async with certificates(ca, resolver(ca), "twice.example.com", directory=two) as run:
                assert run.found(["twice.example.com"]) == before
                run.acme.renew("twice.example.com")
                await renewed(run, before)
        assert any("does not take the order as a replacement" in line["event"] for line in lines)

    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    asyncio.run(scenario(one, two))


def test_short_lived() -> None:
    """Certificates of six days are renewed by what they live, whatever certificatesDuration says."""
    profiles = {"six": {"description": "six days", "validityPeriod": 518400}}

    async def scenario(ca: Pebble) -> None:
        async with certificates(ca, resolver(ca), "six.example.com") as run:
            before = await run.certificate("six.example.com")
            await renewal(run, "ari")
            await run.later(timedelta(days=5))
            await renewed(run, before)
            assert ca.said("Issued certificate") == 2

    with Pebble(config={"profiles": profiles}) as ca:
        asyncio.run(scenario(ca))


def test_by_command(ca: Pebble) -> None:
    """A command renews at once what serves a name; with a new key when that is asked for; an unknown name is none's."""

    async def scenario() -> None:
        both = wish("one.example.com", "two.example.com")
        async with certificates(ca, resolver(ca), both) as run:
            first = await run.certificate("one.example.com", "two.example.com")
            assert run.acme.renew("nobody.example.com") == []
            assert len(run.acme.renew("TWO.example.com.")) == 1
            second = await renewed(run, first)
            assert second.key == first.key
            run.acme.renew("one.example.com", new_key=True)
            third = await renewed(run, second)
            assert third.key != first.key
            await run.until(lambda: run.changes == 3, what="three changes")

    asyncio.run(scenario())


def test_names_that_nobody_wants(ca: Pebble, tmp_path: Path) -> None:
    """A name that was taken out of the rules is not renewed; what is there is served until it ends."""

    async def scenario(directory: Path) -> None:
        both = wish("stays.example.com", "goes.example.com")
        async with certificates(ca, resolver(ca), both, directory=directory) as run:
            before = await run.certificate("stays.example.com", "goes.example.com")
        async with certificates(ca, resolver(ca), "stays.example.com", directory=directory) as run:
            assert run.found(["goes.example.com"]) == before
            assert [row["names"] for row in run.rows()] == [["stays.example.com"]]
            run.acme.renew("stays.example.com")
            after = await run.until(
                lambda: next((m for m in run.materials().values() if m.names == ("stays.example.com",)), None),
                what="the smaller certificate",
            )
            assert after.not_after >= before.not_after
            await run.until(lambda: {row["state"] for row in run.rows()} == {"valid", "kept"}, what="the old one kept")

    asyncio.run(scenario(tmp_path))


def test_identifier(ca: Pebble) -> None:
    """The authority knows the certificate under the name that we give it (RFC 9773 section 4.1)."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "id.example.com") as run:
            await run.certificate("id.example.com")
            await renewal(run, "ari")
            entry = next(iter(json.loads((run.directory / "acme.json.journal").read_text())["renewals"].values()))
            assert re.fullmatch(r"[\w-]{27}\.[\w-]+", entry["certificate"])

    asyncio.run(scenario())
