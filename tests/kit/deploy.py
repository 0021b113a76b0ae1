"""A redeploy under load: clients that count what they got.

`with Load(address) as load:` asks all the while, GETs and POSTs by turns over connections that are kept; each POST has
a number of its own, which the application (apps.ORDERS, for uvicorn) appends to a file. `load.wrong` should stay empty,
and `executed(file)` should have each number that was answered, and none twice.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from pathlib import Path

from tests.kit.waiting import until
from tests.kit.wire import Client, WireError


class Load:
    """`clients` connections, each with `rate` requests a second at most (none waits for another's)."""

    def __init__(
        self, address: tuple[str, int], *, clients: int = 8, rate: float = 25, host: str = "example.org"
    ) -> None:
        self.address = address
        self.host = host
        self.wrong: list[str] = []
        self.answers: Counter[str] = Counter()
        """By who answered."""
        self.orders: set[int] = set()
        """The POSTs that were answered with 200."""
        self._numbers = itertools.count()
        self._gap = 1 / rate
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        self.more()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    def more(self, count: int = 20) -> None:
        """Wait for so many more answers."""
        wanted = self.total + count
        until(lambda: self.total >= wanted or self.wrong, what="more answers")

    def _run(self, number: int) -> None:
        started = time.monotonic()
        turns = itertools.count()
        while not self._end.is_set():
            try:
                with Client(self.address) as client:
                    for turn in itertools.islice(turns, 100):  # then a connection of its own again
                        self._ask(client, number + turn)
                        if self._end.wait(max(0.0, started + (turn + 1) * self._gap - time.monotonic())):
                            return
            except (OSError, WireError) as error:
                self._note(repr(error))

    def _ask(self, client: Client, turn: int) -> None:
        order = next(self._numbers)
        if turn % 2:
            what = f"POST {order}"
            answer = client.request("POST", f"/orders/{order}", body=b"x" * 500, host=self.host)
        else:
            what = "/slow" if turn % 10 == 0 else "/"
            answer = client.request("GET", what, host=self.host)
        if answer.status != 200:
            self._note(f"{what}: {answer.status} {answer.text}")
            return
        with self._lock:
            self.answers[answer.text.strip('"')] += 1
            if turn % 2:
                self.orders.add(order)

    def _note(self, what: str) -> None:
        with self._lock:
            self.wrong.append(what)


def executed(record: Path) -> Counter[int]:
    """How often each order was executed."""
    return Counter(int(line) for line in record.read_text().split())
