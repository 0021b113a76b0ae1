"""A configuration kept lowered: certificates that change, sources that have something new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path

from structlog.testing import capture_logs

from daemun.certificates.gather import CertificateSource
from daemun.certificates.material import Material, parse
from daemun.errors import Problem
from daemun.needs import Resolver, Wish
from daemun.run.borders import Rejected, Wanted
from daemun.run.lowering import Lowerer
from daemun.traefik.configuration import TraefikConfiguration
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.read import load_dynamic_text, load_static
from tests.kit.authority import Authority, Issued

LIMIT = 30
AUTHORITY = Authority()
STATIC = """
entryPoints:
  web: {address: ':80'}
  secure: {address: ':443', http: {tls: {}}}
certificatesResolvers: {le: {acme: {httpChallenge: {entryPoint: web}}}}
"""


class Obtained:
    """A source that has what a test gives it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.has: dict[str, Material] = {}
        self.wishes: Sequence[Wish] = ()
        self.covered: Collection[str] = ()
        self.running = asyncio.Event()
        self.fails = False
        self.resolvers: Sequence[Resolver] = ()

    async def want(self, resolvers: Sequence[Resolver], wishes: Sequence[Wish], covered: Collection[str]) -> None:
        if self.fails:
            raise RuntimeError("no such luck")
        self.resolvers, self.wishes, self.covered = resolvers, wishes, covered

    def materials(self) -> Mapping[str, Material]:
        return dict(self.has)

    async def run(self) -> None:
        self.running.set()
        await asyncio.Event().wait()

    def obtain(self, name: str, issued: Issued) -> None:
        self.has[name] = parse(issued.chain, issued.key)
        self.changed()


Next = Callable[[], Awaitable[Wanted]]


def play(folder: Path, script: Callable[[Lowerer, Obtained, Next], Awaitable[None]]) -> None:
    """Run a script with a Lowerer, its source, and what waits for the next Wanted."""

    async def run() -> None:
        told: asyncio.Queue[Wanted | Rejected] = asyncio.Queue()
        made: list[Obtained] = []

        def sources(changed: Callable[[], None]) -> Sequence[CertificateSource]:
            made.append(Obtained(changed))
            return made

        lowerer = Lowerer(tell=told.put_nowait, data_dir=folder / "data", pages=f"{folder}/pages", sources=sources)
        following = asyncio.create_task(lowerer.run())

        async def following_wanted() -> Wanted:
            wanted = await asyncio.wait_for(told.get(), LIMIT)
            assert isinstance(wanted, Wanted)
            return wanted

        try:
            await script(lowerer, made[0], following_wanted)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    asyncio.run(run())


def dynamic(text: str) -> Dynamic:
    values, problems = load_dynamic_text(text, file="d.yml")
    assert problems == []
    return values


def certificates(wanted: Wanted) -> set[str]:
    """What the Plan names, which is what is handed over."""
    named = set(json.loads(wanted.plan)["certificates"])
    assert named == set(wanted.bundle.certificates)
    return named


def test_a_changed_file(tmp_path: Path) -> None:
    """A new pair of the same names gives the same Plan with other bytes; other names give another Plan."""
    AUTHORITY.issue("a.org").write(tmp_path, "a")
    text = f"tls: {{certificates: [{{certFile: {tmp_path}/a.crt, keyFile: {tmp_path}/a.key}}]}}"

    async def script(lowerer: Lowerer, _source: Obtained, told: Next) -> None:
        await lowerer.set(TraefikConfiguration(static=load_static(STATIC, file="t.yml")[0], dynamic=dynamic(text)))
        first = await told()
        assert len(certificates(first)) == 2
        AUTHORITY.issue("a.org").write(tmp_path, "a")
        second = await told()
        while second.bundle.certificates == first.bundle.certificates:
            second = await told()
        assert second.plan == first.plan
        AUTHORITY.issue("b.org").write(tmp_path, "a")
        third = await told()
        while third.plan == first.plan:
            third = await told()
        assert ["b.org"] in [one["names"] for one in json.loads(third.plan)["certificates"].values()]

    play(tmp_path, script)


def test_a_source(tmp_path: Path) -> None:
    """It is told what is wished for, and what it obtains is shown; the socket of our own application is in the Plan."""
    text = "http: {routers: {r: {rule: 'Host(`a.org`)', service: noop@internal, tls: {certResolver: le}}}}"

    async def script(lowerer: Lowerer, source: Obtained, told: Next) -> None:
        await lowerer.set(TraefikConfiguration(static=load_static(STATIC, file="t.yml")[0], dynamic=dynamic(text)))
        first = await told()
        assert certificates(first) == {"traefik-default"}
        assert [(wish.resolver, wish.names) for wish in source.wishes] == [("le", ("a.org",))]
        assert [one.name for one in source.resolvers] == ["le"]
        await asyncio.wait_for(source.running.wait(), LIMIT)
        assert f"unix:{tmp_path}/pages" in first.plan.decode()
        source.obtain("acme-a.org", AUTHORITY.issue("a.org"))
        second = await told()
        assert certificates(second) == {"traefik-default", "acme-a.org"}
        source.obtain("acme-a.org", AUTHORITY.issue("a.org"))
        third = await told()
        assert third.plan == second.plan
        assert third.bundle != second.bundle

    play(tmp_path, script)


def test_what_is_there_already(tmp_path: Path) -> None:
    """The first Plan has the certificates that a source had from before; it is told what files cover."""
    AUTHORITY.issue("b.org").write(tmp_path, "b")
    text = f"tls: {{certificates: [{{certFile: {tmp_path}/b.crt, keyFile: {tmp_path}/b.key}}]}}"

    async def script(lowerer: Lowerer, source: Obtained, told: Next) -> None:
        issued = AUTHORITY.issue("a.org")
        source.has["acme-a.org"] = parse(issued.chain, issued.key)
        await lowerer.set(TraefikConfiguration(static=load_static(STATIC, file="t.yml")[0], dynamic=dynamic(text)))
        assert "acme-a.org" in certificates(await told())
        assert set(source.covered) == {"b.org"}

    play(tmp_path, script)


def test_a_source_that_fails(tmp_path: Path) -> None:
    """The configuration is served without what it would have had."""

    async def script(lowerer: Lowerer, source: Obtained, told: Next) -> None:
        source.fails = True
        await lowerer.set(TraefikConfiguration(static=load_static(STATIC, file="t.yml")[0], dynamic=dynamic("{}")))
        assert certificates(await told()) == {"traefik-default"}

    play(tmp_path, script)


def test_nothing_new_is_not_told(tmp_path: Path) -> None:
    """Looking again without a difference says nothing."""

    async def script(lowerer: Lowerer, source: Obtained, told: Next) -> None:
        await lowerer.set(TraefikConfiguration(static=load_static(STATIC, file="t.yml")[0], dynamic=dynamic("{}")))
        first = await told()
        source.changed()
        source.obtain("acme-a.org", AUTHORITY.issue("a.org"))
        assert await told() != first

    play(tmp_path, script)


def test_what_is_worth_knowing_is_said_once(tmp_path: Path) -> None:
    """A hundred hidden containers are not named again each time another one comes; what is wrong is."""
    hidden = Problem(severity="info", kind="hidden", message="hidden")
    wrong = Problem(severity="error", kind="value", message="wrong")
    other = Problem(severity="info", kind="hidden", message="another one")

    async def script(lowerer: Lowerer, _source: Obtained, told: Next) -> None:
        static = load_static(STATIC, file="t.yml")[0]
        said: list[list[str]] = []
        for problems in ((hidden, wrong), (hidden, wrong, other), (wrong,), (wrong, hidden)):
            with capture_logs() as lines:
                await lowerer.set(TraefikConfiguration(static=static, dynamic=Dynamic()), said=problems)
            said.append([line["event"] for line in lines if line["event"] in {"hidden", "wrong", "another one"}])
        assert said == [["hidden", "wrong"], ["wrong", "another one"], ["wrong"], ["wrong", "hidden"]]
        await told()

    play(tmp_path, script)


def test_without_tls_nothing_is_made(tmp_path: Path) -> None:
    """No authority, no default certificate."""

    async def script(lowerer: Lowerer, _source: Obtained, told: Next) -> None:
        await lowerer.set(
            TraefikConfiguration(
                static=load_static("entryPoints: {web: {address: ':80'}}", file="t.yml")[0],
                dynamic=Dynamic(),
                complete=False,
            )
        )
        wanted = await told()
        assert wanted.bundle.certificates == {}
        assert not wanted.complete

    play(tmp_path, script)
    assert not (tmp_path / "data").exists()
