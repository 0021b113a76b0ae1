"""The cost of many routers: 10,000 `Host && PathPrefix` against one, and a mix of every kind of rule.

Requests are spread over every ninth router, evenly over the whole list. The one router gets as many
(equal) requests from the same kind of list, so that load generator and origin do the same work. Traefik's
priority is the rule's length, so the 200 HostRegexp come before nearly every Host.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bed import Bed, answers
from bench.errors import InvalidRun
from bench.load import Request
from bench.measure import by_peer, notes, rounds
from bench.outcome import Outcome, ratios
from bench.peers import daemun
from bench.peers.running import Running
from bench.process import until

COUNT = 10_000
REGEXES = 200
STEP = 9
"""Every ninth router is asked for: many enough to leave the nearest caches, and of every kind in turn."""
BOUND = 1.1


@dataclass(frozen=True, kw_only=True)
class Router:
    """A rule as Traefik writes it, and a request that it takes."""

    text: str
    host: str
    path: str
    field: str = ""


def run(bed: Bed) -> Outcome:
    """Measures Daemun with one router, with 10,000 and with the mix."""
    variants = {
        "one router": [plain(COUNT // 2)],
        f"{COUNT:,} routers": [plain(number) for number in range(COUNT)],
        "mixed rules": [*(mixed(number) for number in range(COUNT - REGEXES)), *map(regex, range(REGEXES))],
    }
    with contextlib.ExitStack() as stack:
        running: dict[str, Running] = {}
        requests: dict[str, Request] = {}
        for name, routers in variants.items():
            folder = bed.subfolder("routers")
            started = daemun.start_rules(folder, [bed.origin], [one.text for one in routers], name=name)
            stack.enter_context(started.process)
            asked = routers[::STEP] if len(routers) > 1 else routers * (COUNT // STEP)
            requests[name] = targets(asked, folder / "targets")
            _check(started, asked[0])
            running[name] = started
        samples = rounds(bed, running, requests)
    rows = by_peer(samples, list(variants))
    many, mix = (
        next(one for one in ratios(rows, {"one router": bound}, of=name) if one.label.endswith("one router"))
        for name, bound in ((f"{COUNT:,} routers", BOUND), ("mixed rules", None))
    )
    return Outcome(
        scenario="routers",
        title=f"{COUNT:,} routers against one",
        unit="µs CPU/request",
        rows=rows,
        verdicts=[many, mix],
        notes=[f"mixed rules: ||, !, Header, Query and {REGEXES} HostRegexp among {COUNT:,} routers", *notes(samples)],
        details=[one.as_json() for one in samples],
    )


def plain(number: int) -> Router:
    """``Host(`h7.bench.test`) && PathPrefix(`/p7`)``."""
    host, prefix = f"h{number}.bench.test", f"/p{number}/"
    return Router(
        text=f"Host(`{host}`) && PathPrefix(`{prefix}`)",
        host=host,
        path=f"{prefix}128",
    )


def mixed(number: int) -> Router:
    """One of four kinds in turn: an alternative, a negation, a field, a query argument."""
    kinds: Sequence[Callable[[int], Router]] = (_either, _negated, _field, _query)
    return kinds[number % len(kinds)](number)


def regex(number: int) -> Router:
    r"""``HostRegexp(`^r[0-9]+-n7\.bench\.test$`) && PathPrefix(`/p`)``."""
    pattern = rf"^r[0-9]+-n{number}\.bench\.test$"
    return Router(
        text=f"HostRegexp(`{pattern}`) && PathPrefix(`/p`)",
        host=f"r42-n{number}.bench.test",
        path="/p/128",
    )


def targets(routers: Sequence[Router], file: Path) -> Request:
    """The request of each in turn, which are written into `file`."""
    file.write_text("".join(f"{one.host} {one.path} {one.field}\n" for one in routers))
    return Request(targets=file, least_bytes=128)


def _either(number: int) -> Router:
    one, two = f"a{number}.bench.test", f"b{number}.bench.test"
    return Router(
        text=f"(Host(`{one}`) || Host(`{two}`)) && PathPrefix(`/p`)",
        host=two,
        path="/p/128",
    )


def _negated(number: int) -> Router:
    host = f"n{number}.bench.test"
    return Router(
        text=f"Host(`{host}`) && !PathPrefix(`/admin`)",
        host=host,
        path="/p/128",
    )


def _field(number: int) -> Router:
    host, value = f"f{number}.bench.test", f"v{number}"
    return Router(
        text=f"Host(`{host}`) && Header(`X-Tenant`, `{value}`)",
        host=host,
        path="/p/128",
        field=f"X-Tenant={value}",
    )


def _query(number: int) -> Router:
    host, value = f"q{number}.bench.test", f"v{number}"
    return Router(
        text=f"Host(`{host}`) && Query(`tenant`, `{value}`)",
        host=host,
        path=f"/p/128?tenant={value}",
    )


def _check(started: Running, router: Router) -> None:
    """The router's request is answered, and one for a host without router is not."""
    if not router.field:
        until(lambda: answers(started.address, router.path, host=router.host), what=router.text)
    if answers(started.address, router.path, host="nobody.bench.test"):
        raise InvalidRun(f"{started.name}: a request without router was answered")
