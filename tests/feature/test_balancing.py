"""Balancing over endpoints, exact although four threads do it: `spread` first shows that three or more are at work."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.control import Refused
from tests.kit.engine import Engine
from tests.kit.origin import Origin, Visit, answering, dead
from tests.kit.plans import endpoint, plan, proxy, replaced, route, service
from tests.kit.waiting import until
from tests.kit.wire import Client


@contextlib.contextmanager
def origins(count: int) -> Iterator[list[Origin]]:
    """Origins that answer with their own number."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Origin(answering(str(number).encode()))) for number in range(count)]


@contextlib.contextmanager
def spread(engine: Engine, count: int = 32, sources: list[str] | None = None) -> Iterator[list[Client]]:
    """Client connections that sit on at least three of the engine's four threads, as its statistics say."""
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(engine.client(source=sources[n % len(sources)] if sources else None))
            for n in range(count)
        ]
        with engine.control() as control:

            def connections() -> list[int]:
                return [thread["connections"] for thread in control.call("stats")["threads"]]

            until(lambda: sum(connections()) == count, what="every connection to be counted")
            on = connections()
        assert len(on) == 4
        assert sum(1 for number in on if number) >= 3, on
        yield clients


def test_connections_spread_over_threads() -> None:
    """64 connections sit on all four threads, none of which has more than half of them."""
    with origins(1) as (one,), Engine(plan(one.address)) as engine, spread(engine, 64) as clients:
        for client in clients:
            assert client.request().status == 200
        threads = engine.stats()["threads"]
        assert sum(t["requests"] for t in threads) == 64
        assert all(0 < t["connections"] <= 32 for t in threads), threads


def test_round_robin_in_order() -> None:
    """1, 2, 3, 1, … exactly, although each request comes from another thread."""
    with origins(3) as three, Engine(plan(*(o.address for o in three))) as engine, spread(engine) as clients:
        got = [client.request().text for _ in range(6) for client in clients]
        first = int(got[0])
        assert got == [str((first + number) % 3) for number in range(len(got))]


def test_round_robin_is_exact_under_concurrency() -> None:
    """300 requests at once over 32 connections: 100 each."""
    with origins(3) as three, Engine(plan(*(o.address for o in three))) as engine, spread(engine, 30) as clients:
        counts: Counter[str] = Counter()
        lock = threading.Lock()

        def work(client: Client) -> None:
            for _ in range(10):
                name = client.request().text
                with lock:
                    counts[name] += 1

        threads = [threading.Thread(target=work, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == {"0": 100, "1": 100, "2": 100}


def test_smooth_weights() -> None:
    """Weights 5, 1, 1 give a a b a c a a (nginx's smooth weighted round robin), over all threads."""
    with origins(3) as three:
        weighted = [endpoint(o.address, weight=weight) for o, weight in zip(three, (5, 1, 1), strict=True)]
        with Engine(plan(*weighted)) as engine, spread(engine, 28) as clients:
            got = "".join(client.request().text for client in clients)
            assert got == "0010200" * 4


def test_weight_zero_gets_nothing() -> None:
    """An endpoint of weight 0 is not used."""
    with (
        origins(2) as two,
        Engine(plan(endpoint(two[0].address, weight=0), two[1].address)) as engine,
        spread(engine) as clients,
    ):
        assert {client.request().text for client in clients} == {"1"}


def test_down_and_backup() -> None:
    """`down` is never used; `backup` only when no other lives."""
    with origins(3) as three:
        down, main, backup = three
        whole = plan(endpoint(down.address, down=True), main.address, endpoint(backup.address, backup=True))
        with Engine(whole) as engine, spread(engine) as clients:
            assert {client.request().text for client in clients} == {"1"}
            main.close()
            assert {client.request().text for client in clients} == {"2"}


class Holding:
    """Origins that hold every request until they are let go, so that what runs is known."""

    def __init__(self, count: int) -> None:
        self.running = [0] * count
        self.order: list[int] = []
        self.changed = threading.Condition()
        self.free = [threading.Semaphore(0) for _ in range(count)]

    def script(self, number: int) -> Any:
        def hold(visit: Visit) -> None:
            while True:
                visit.read_request()
                with self.changed:
                    self.running[number] += 1
                    self.order.append(number)
                self.free[number].acquire()
                with self.changed:
                    self.running[number] -= 1
                visit.answer(str(number).encode())

        return hold


@contextlib.contextmanager
def holding(count: int) -> Iterator[tuple[Holding, list[Origin]]]:
    held = Holding(count)
    with contextlib.ExitStack() as stack:
        try:
            yield held, [stack.enter_context(Origin(held.script(number))) for number in range(count)]
        finally:
            for free in held.free:
                free.release(1_000)


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_least_connections_is_exact() -> None:
    """Every request goes where the fewest run, counted over all threads; ties in order."""
    with (
        holding(3) as (held, three),
        Engine(plan(*(o.address for o in three), balance={"strategy": "least_connections"})) as engine,
        spread(engine, 24) as clients,
    ):
        for number, client in enumerate(clients[:9]):
            client.send(GET)
            until(lambda n=number: len(held.order) == n + 1, what="the request at an origin")  # type: ignore[misc]
            assert max(held.running) - min(held.running) <= 1
        assert held.running == [3, 3, 3]
        held.free[1].release(2)
        until(lambda: held.running == [3, 1, 3], what="two answers of origin 1")
        counted = engine.control()
        with counted:
            until(
                lambda: [e["in_flight"] for e in counted.call("stats")["services"]["app"]] == [3, 1, 3],
                what="the engine to count",
            )
        for number, client in enumerate(clients[9:11]):
            client.send(GET)
            until(lambda n=number: len(held.order) == 10 + n, what="the request at an origin")  # type: ignore[misc]
        assert held.order[9:] == [1, 1]
        for free in held.free:
            free.release(100)


def test_least_connections_with_weights() -> None:
    """Weights 2 and 1: twice as many run on the first."""
    with holding(2) as (held, two):
        weighted = [endpoint(two[0].address, weight=2), endpoint(two[1].address, weight=1)]
        with (
            Engine(plan(*weighted, balance={"strategy": "least_connections"})) as engine,
            spread(engine, 24) as clients,
        ):
            for number, client in enumerate(clients[:12]):
                client.send(GET)
                until(lambda n=number: len(held.order) == n + 1, what="the request at an origin")  # type: ignore[misc]
            assert held.running == [8, 4]
            for free in held.free:
                free.release(100)


def test_power_of_two() -> None:
    """p2c: everybody works, and with what runs held the fullest of four has no more than twice the mean."""
    with (
        holding(4) as (held, four),
        Engine(plan(*(o.address for o in four), balance={"strategy": "power_of_two"})) as engine,
        spread(engine, 40) as clients,
    ):
        for number, client in enumerate(clients):
            client.send(GET)
            until(lambda n=number: len(held.order) == n + 1, what="the request at an origin")  # type: ignore[misc]
        assert sum(held.running) == 40
        assert min(held.running) > 0
        assert max(held.running) <= 20, held.running
        for free in held.free:
            free.release(100)


def test_least_time() -> None:
    """The endpoint that answers sooner gets the requests; both were tried first."""
    slow_may_answer = threading.Event()

    def slow(visit: Visit) -> None:
        while True:
            visit.read_request()
            slow_may_answer.wait(0.3)
            visit.answer(b"slow")

    with (
        Origin(slow) as one,
        Origin(answering(b"fast")) as other,
        Engine(plan(one.address, other.address, balance={"strategy": "least_time"})) as engine,
        spread(engine) as clients,
    ):
        assert {client.request().text for client in clients[:2]} == {"slow", "fast"}
        assert [client.request().text for client in clients[2:]] == ["fast"] * 30


def test_least_time_of_one_that_times_out() -> None:
    """An endpoint that never answers is not taken for the fastest: its time-outs count as its time."""

    def never(visit: Visit) -> None:
        visit.read_request()
        visit.read_to_end()

    balance = {"strategy": "least_time", "rest": {"failures": 0}}
    with (
        Origin(never) as one,
        Origin(answering(b"fast")) as other,
        Engine(plan(one.address, other.address, balance=balance, upstream={"response_head_ms": 300})) as engine,
        spread(engine) as clients,
    ):
        got = [client.request().status for client in clients]
        assert sorted(got)[-2:] == [200, 504], got
        assert got.count(504) == 1, got


SOURCES = [f"127.0.{a}.{b}" for a in range(1, 4) for b in range(1, 21)]


def _homes(engine: Engine) -> dict[str, str]:
    homes = {}
    for source in SOURCES:
        with engine.client(source=source) as client:
            homes[source] = client.request().text
    return homes


@pytest.mark.parametrize("leaving", [0, 3])
def test_ip_hash_moves_only_whom_it_must(leaving: int) -> None:
    """A client stays with its server; when a server leaves only its own clients move (rendezvous hashing)."""
    with origins(4) as four:
        whole = plan(*(o.address for o in four), balance={"strategy": "ip_hash"})
        with Engine(whole) as engine:
            with spread(engine, 64, SOURCES):
                before = _homes(engine)
            assert before == _homes(engine)
            shares = Counter(before.values())
            assert len(shares) == 4
            assert max(shares.values()) <= 2 * len(SOURCES) / 4
            left = [e for n, e in enumerate(whole["services"]["app"]["kind"]["balanced"]["endpoints"]) if n != leaving]
            engine.apply(replaced(whole, "services.app.kind.balanced.endpoints", left))
            after = _homes(engine)
            assert str(leaving) not in after.values()
            moved = {source for source in SOURCES if before[source] != after[source]}
            assert moved == {source for source in SOURCES if before[source] == str(leaving)}


def test_ip_hash_around_a_dead_server() -> None:
    """Clients of a dead server go elsewhere without an error; the others stay."""
    with origins(3) as three, Engine(plan(*(o.address for o in three), balance={"strategy": "ip_hash"})) as engine:
        before = _homes(engine)
        three[1].close()
        after = _homes(engine)
        assert all(after[s] == before[s] if before[s] != "1" else after[s] in "02" for s in SOURCES)


def test_nginx_ip_hash_sees_three_octets() -> None:
    """nginx's `ip_hash`: clients that differ in the last octet only go together."""
    with (
        origins(3) as three,
        Engine(plan(*(o.address for o in three), balance={"strategy": "nginx_ip_hash"})) as engine,
    ):
        homes = _homes(engine)
        for net in ("127.0.1.", "127.0.2.", "127.0.3."):
            assert len({home for source, home in homes.items() if source.startswith(net)}) == 1


def test_hash_of_a_key() -> None:
    """A key chooses the server: the same key the same one, several keys several ones, consistent or not."""
    for consistent in (False, True):
        strategy = {"hash": {"key": [{"argument": "k"}], "consistent": consistent}}
        with (
            origins(3) as three,
            Engine(plan(*(o.address for o in three), balance={"strategy": strategy})) as engine,
            spread(engine) as clients,
        ):
            homes = {k: clients[k].request("GET", f"/?k={k}").text for k in range(30)}
            again = {k: clients[31 - k].request("GET", f"/?k={k}").text for k in range(30)}
            assert homes == again
            assert len(set(homes.values())) == 3


def test_weighted_service() -> None:
    """Shares between services: 3 to 1, exactly."""
    with origins(2) as (a, b):
        weighted = [{"service": "a", "weight": 3}, {"service": "b", "weight": 1}]
        both = {"origin": {"name": "both", "file": "", "line": 0}, "kind": {"weighted": weighted}}
        whole = plan(
            services={"a": service(a.address), "b": service(b.address), "both": both},
            routes={"app": route(proxy("both"))},
        )
        with Engine(whole) as engine, spread(engine) as clients:
            assert Counter(client.request().text for client in clients) == {"0": 24, "1": 8}


def test_a_share_of_itself_is_refused() -> None:
    """Services that are shares of each other are refused by name."""
    loop = {
        name: {"origin": {"name": name, "file": "", "line": 0}, "kind": {"weighted": [{"service": other, "weight": 1}]}}
        for name, other in (("a", "b"), ("b", "a"))
    }
    with Engine(plan("127.0.0.1:1")) as engine, pytest.raises(Refused, match="share of itself"):
        engine.apply(plan("127.0.0.1:1", services=loop))


def dynamic(address: list[dict[str, Any]]) -> dict[str, Any]:
    """A service whose endpoint the request names."""
    retry = {"on": ["unsent"], "tries": 1, "timeout_ms": 0, "non_idempotent": False, "resend_on_stale": True}
    of = {"address": address, "scheme": "http", "transport": "transport", "retry": retry}
    return {"origin": {"name": "named", "file": "", "line": 0}, "kind": {"dynamic": of}}


def test_an_endpoint_that_the_request_names() -> None:
    """The address comes from the request; connections to it are used again, after another Plan too."""
    named = dynamic([{"argument": "to"}])
    host = [{"variable": "proxy_host"}]
    with Origin() as one, origins(1) as (other,):
        whole = plan("127.0.0.1:1", services={"named": named}, routes={"app": route(proxy("named", host=host))})
        with Engine(whole, threads=1) as engine, engine.client() as client:
            for _ in range(2):
                assert client.request("GET", f"/?to={one.address}").status == 200
                assert client.request("GET", f"/?to={other.address}").text == "0"
                engine.apply(whole)
            assert client.request("GET", f"/?to=localhost:{one.port}").status == 200
            assert [len(visit.requests) for visit in one.visits] == [2, 1]
            assert [request.get("host") for request in one.requests] == [
                one.address,
                one.address,
                f"localhost:{one.port}",
            ]
            for nowhere in ("", "host:port:1", "[::1"):
                assert client.request("GET", f"/?to={nowhere}").status == 503


def test_max_connections_of_an_endpoint() -> None:
    """An endpoint that has its fill gets no more, counted over all threads; with every one full: no endpoint, 503."""
    with holding(2) as (held, two):
        limited = [endpoint(o.address, max_connections=2) for o in two]
        with Engine(plan(*limited)) as engine, spread(engine, 24) as clients:
            for number, client in enumerate(clients[:4]):
                client.send(GET)
                until(lambda n=number: len(held.order) == n + 1, what="the request at an origin")  # type: ignore[misc]
            assert held.running == [2, 2]
            assert clients[5].request().status == 503
            for free in held.free:
                free.release(100)
            assert {client.read_response().status for client in clients[:4]} == {200}
            assert clients[6].request().status == 200


def test_counts_survive_an_apply() -> None:
    """What runs keeps counting when a new Plan changes a weight (DESIGN.md, law 4)."""
    with holding(2) as (held, two):
        whole = plan(*(o.address for o in two), balance={"strategy": "least_connections"})
        with Engine(whole) as engine, spread(engine, 24) as clients:
            for number, client in enumerate(clients[:4]):
                client.send(GET)
                until(lambda n=number: len(held.order) == n + 1, what="the request at an origin")  # type: ignore[misc]
            held.free[1].release(2)
            until(lambda: held.running == [2, 0], what="origin 1 to be free")
            for client in (clients[1], clients[3]):
                assert client.read_response().status == 200
            engine.apply(replaced(whole, "services.app.kind.balanced.endpoints.0.weight", 1))
            for number, client in enumerate(clients[4:6]):
                client.send(GET)
                until(lambda n=number: len(held.order) == 5 + n, what="the request at an origin")  # type: ignore[misc]
            assert held.order[4:] == [1, 1]
            for free in held.free:
                free.release(100)


def test_rest_of_one_endpoint() -> None:
    """An endpoint's own rest goes before the service's: one never rests, the other after its first failure."""
    never = {"failures": 0, "window_ms": 10_000, "rest_ms": 10_000, "spare_single": True, "early_ms": 0}
    with dead() as one, dead() as other, origins(1) as (live,):
        whole = plan(endpoint(one, rest=never), endpoint(other), live.address)
        with Engine(whole) as engine, spread(engine) as clients:
            assert {client.request().status for client in clients} == {200}
            first, second, _ = engine.stats()["services"]["app"]
            assert (first["resting"], second["resting"]) == (False, True)
            assert first["failures"] > 5
            assert second["failures"] == 1


def test_keys_survive_set_endpoints() -> None:
    """Endpoints that are set without an apply make a new ring: a key's server that stays keeps it."""
    strategy = {"hash": {"key": [{"argument": "k"}], "consistent": True}}
    with origins(4) as four, Engine(plan(*(o.address for o in four), balance={"strategy": strategy})) as engine:
        with engine.client() as client, engine.control() as control:
            before = {k: client.request("GET", f"/?k={k}").text for k in range(60)}
            left = [endpoint(o.address) for o in four[:3]]
            control.call("set_endpoints", service="app", generation=2, endpoints=left)
            after = {k: client.request("GET", f"/?k={k}").text for k in range(60)}
        assert all(after[k] == before[k] for k in before if before[k] != "3")
        assert "3" in before.values()
        assert "3" not in after.values()
