"""What goes wrong between us and a real authority: it is said in plain words, tried again, and harms nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemun.control.pages import pages
from daemun.control.server import serving
from tests.kit.acme import Run, certificates, listener, resolver, wish
from tests.kit.pebble import Pebble


@pytest.fixture(scope="module")
def ca() -> Iterator[Pebble]:
    with Pebble(config={"domainBlocklist": ["blocked.example.com"]}) as running:
        yield running


async def trouble_of(run: Run, name: str) -> dict[str, Any]:
    """The failure that the status shows for a name."""

    def found() -> dict[str, Any] | None:
        return next((row["trouble"] for row in run.rows() if name in row["names"]), None)

    return await run.until(found, what=f"a failure of {name}")


def test_bad_nonces() -> None:
    """An authority that refuses half of the nonces still gives every certificate."""

    async def scenario(ca: Pebble) -> None:
        names = [f"nonce{number}.example.com" for number in range(6)]
        async with certificates(ca, resolver(ca), *names) as run:
            await run.until(lambda: len(run.materials()) == 6, what="six certificates")
            # Seven requests make an order, without any that is refused.
            assert ca.said("POST /") > 6 * 7 * 1.3

    with Pebble(env={"PEBBLE_WFE_NONCEREJECT": "50"}) as ca:
        asyncio.run(scenario(ca))


def test_nothing_answers_at_the_port(ca: Pebble) -> None:
    """A name that leads to a machine where nothing listens: said before the order, and what the authority says after."""

    async def scenario() -> None:
        with capture_logs() as lines:
            async with certificates(ca, resolver(ca), "closed.example.com", serve=False) as run:
                trouble = await trouble_of(run, "closed.example.com")
        assert "about closed.example.com" in trouble["message"]
        assert "refused" in trouble["message"]
        assert trouble["advice"]
        ahead = [line for line in lines if "port 80 there does not answer" in line["event"]]
        assert [(line["file"], line["line"], line["router"]) for line in ahead] == [("dynamic.toml", 7, "web@file")]

    asyncio.run(scenario())


def test_another_server_answers(ca: Pebble) -> None:
    """A name that leads to another server: the authority's complaint, and where to look."""

    async def scenario() -> None:
        answers = {"a": "b"}
        async with (
            serving(pages(answers), listener(ca.http_port)),
            certificates(ca, resolver(ca), "elsewhere.example.com", serve=False) as run,
        ):
            trouble = await trouble_of(run, "elsewhere.example.com")
            assert "(unauthorized)" in trouble["message"]
            assert "elsewhere.example.com seems to lead to another server" in trouble["advice"]
            assert any("it answers 404" in text for text in run.rows()[0]["warnings"])

    asyncio.run(scenario())


def test_name_that_does_not_resolve(ca: Pebble) -> None:
    """A name without an address is said before the order; when it has one, the next try succeeds."""

    async def scenario() -> None:
        ca.fail_name("lost.example.com")
        with capture_logs() as lines:
            addresses = {"lost.example.com": ()}
            async with certificates(ca, resolver(ca), "lost.example.com", addresses=addresses) as run:
                trouble = await trouble_of(run, "lost.example.com")
                assert "lost.example.com" in trouble["message"]
                ca.mend_name("lost.example.com")
                await run.later(timedelta(minutes=2))
                await run.certificate("lost.example.com")
                await run.until(lambda: run.trouble() is None, what="the failure to be forgotten")
        assert sum("has no address here" in line["event"] for line in lines) == 1
        assert sum("no certificate yet" in line["event"] for line in lines) == 1

    asyncio.run(scenario())


def test_blocked_name(ca: Pebble) -> None:
    """A name that the authority's policy forbids: the other names of other routers are not held up."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "blocked.example.com", "free.example.com") as run:
            await run.certificate("free.example.com")
            trouble = await trouble_of(run, "blocked.example.com")
            assert "forbidden domain" in trouble["message"]
            assert "use another authority" in trouble["advice"]

    asyncio.run(scenario())


def test_said_once_and_ever_later(ca: Pebble) -> None:
    """A name that keeps failing is tried after ever longer pauses, and logged once for as long as the reason is one."""

    async def scenario() -> None:
        pauses: list[float] = []
        with capture_logs() as lines:
            async with certificates(ca, resolver(ca), "blocked.example.com") as run:
                for tries in range(1, 6):
                    trouble = await run.until(
                        lambda tries=tries: t if (t := run.trouble()) and t["tries"] == tries else None,  # type: ignore[misc]
                        what=f"try {tries}",
                    )
                    pause = datetime.fromisoformat(trouble["next"]) - datetime.fromisoformat(trouble["at"])
                    pauses.append(round(pause.total_seconds() / 60 / 1.1))
                    assert ca.said("Added order") == orders
                    await run.later(pause)
        assert pauses == [1, 4, 16, 64, 256]
        assert sum("no certificate yet" in line["event"] for line in lines) == 1

    orders = ca.said("Added order")
    asyncio.run(scenario())


def test_authority_down_at_start(tmp_path: Path) -> None:
    """Nothing answers at caServer: what is stored is served, and ordered is what is missing once it is back."""

    async def scenario(ca: Pebble) -> None:
        async with certificates(ca, resolver(ca), "kept.example.com", directory=tmp_path) as run:
            kept = await run.certificate("kept.example.com")
        ca.stop()
        wishes = "kept.example.com", "more.example.com", "another.example.com"
        with capture_logs() as lines:
            async with certificates(ca, resolver(ca), *wishes, directory=tmp_path) as run:
                assert run.found(["kept.example.com"]) == kept
                trouble = await trouble_of(run, "more.example.com")
                assert "cannot be reached" in trouble["message"]
                assert f"localhost:{ca.port}" in trouble["message"]
                assert run.found(["kept.example.com"]) == kept
                ca.start()  # with an empty memory: it knows our account no more
                await run.later(timedelta(minutes=2))
                await run.certificate("more.example.com")
                await run.certificate("another.example.com")
        assert any("does not know the stored account" in line["event"] for line in lines)

    with Pebble() as ca:
        asyncio.run(scenario(ca))


def test_authority_down_for_a_new_instance() -> None:
    """With no account yet either, there is one complaint about the authority and not one for each name."""

    async def scenario(ca: Pebble) -> None:
        ca.stop()
        with capture_logs() as lines:
            async with certificates(ca, resolver(ca), *(f"m{n}.example.com" for n in range(8))) as run:
                trouble = await trouble_of(run, "m7.example.com")
                assert "cannot be reached" in trouble["message"]
                ca.start()
                await run.later(timedelta(minutes=1))
                await run.until(lambda: len(run.materials()) == 8, what="eight certificates")
        assert sum("no certificate yet" in line["event"] for line in lines) == 1

    with Pebble() as ca:
        asyncio.run(scenario(ca))


def test_authority_down_at_renewal() -> None:
    """An authority that is gone when a certificate is due takes nothing away."""

    async def scenario(ca: Pebble) -> None:
        async with certificates(ca, resolver(ca), "due.example.com") as run:
            material = await run.certificate("due.example.com")
            ca.stop()
            assert run.acme.renew("due.example.com")
            trouble = await trouble_of(run, "due.example.com")
            assert "cannot be reached" in trouble["message"]
            assert run.found(["due.example.com"]) == material
            assert run.changes == 1

    with Pebble() as ca:
        asyncio.run(scenario(ca))


def test_untrusted_authority(ca: Pebble) -> None:
    """An authority whose own HTTPS certificate is not signed by caCertificates: said so, with the option's name."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca, ca_certificates=()), "trust.example.com") as run:
            trouble = await trouble_of(run, "trust.example.com")
            assert "not trusted" in trouble["message"]
            assert "caCertificates" in trouble["advice"]
        missing = resolver(ca, ca_certificates=("no-such.pem",))
        async with certificates(ca, missing, "trust.example.com") as run:
            trouble = await trouble_of(run, "trust.example.com")
            assert "no-such.pem" in trouble["message"]

    asyncio.run(scenario())


def test_server_name(ca: Pebble) -> None:
    """caServerName is the name that the authority's certificate is checked against."""

    async def scenario() -> None:
        by_address = f"https://127.0.0.1:{ca.port}/dir"
        for server_name in ("localhost", ""):
            named = resolver(ca, ca_server=by_address, ca_server_name=server_name)
            async with certificates(ca, named, "address.example.com") as run:
                if server_name:
                    await run.certificate("address.example.com")
                else:
                    assert "not trusted" in (await trouble_of(run, "address.example.com"))["message"]

    asyncio.run(scenario())


def test_no_acme_server(ca: Pebble) -> None:
    """An address at which something else answers is said to be no ACME directory."""

    async def scenario() -> None:
        wrong = resolver(ca, ca_server=f"https://localhost:{ca.management}/roots/0")
        async with certificates(ca, wrong, "wrong.example.com") as run:
            trouble = await trouble_of(run, "wrong.example.com")
            assert "does not answer as an ACME server" in trouble["message"]

    asyncio.run(scenario())


def test_another_authority_gets_another_account(ca: Pebble) -> None:
    """When caServer's host has changed, the account is made anew; the one before stays until the new one is there."""

    async def scenario() -> None:
        async with certificates(ca, resolver(ca), "old.example.com") as first:
            await first.certificate("old.example.com")
            path = first.directory / "acme.json"
            before = json.loads(path.read_text())["le"]["Account"]
            gone = resolver(ca, ca_server="https://127.0.0.1:1/dir")
            async with certificates(ca, gone, "new.example.com", directory=first.directory, serve=False) as run:
                await trouble_of(run, "new.example.com")
                assert json.loads(path.read_text())["le"]["Account"] == before
            moved = resolver(ca, ca_server=f"https://127.0.0.1:{ca.port}/dir", ca_server_name="localhost")
            async with certificates(
                ca, moved, "new.example.com", wish("old.example.com"), directory=first.directory, serve=False
            ) as run:
                await run.until(
                    lambda: json.loads(path.read_text())["le"]["Account"]["PrivateKey"] != before["PrivateKey"],
                    what="another account",
                )
                assert run.found(["old.example.com"])

    asyncio.run(scenario())
