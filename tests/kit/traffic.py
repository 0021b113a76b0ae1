"""Steady requests beside a test, to see whether anybody notices what the test does."""

from __future__ import annotations

import threading

from tests.kit.waiting import until
from tests.kit.wire import Client, WireError


class Traffic:
    """Requests one after the other, on a new connection each or all on one, until told to end.

    `failures` should stay empty. `with Traffic(address) as traffic:` has answers already.
    """

    def __init__(self, address: tuple[str, int], *, keep_alive: bool = False) -> None:
        self.address = address
        self.keep_alive = keep_alive
        self.answers = 0
        self.failures: list[str] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Traffic:
        self._thread.start()
        self.more()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def more(self, count: int = 20) -> None:
        """Wait for some more answers."""
        wanted = self.answers + count
        until(lambda: self.answers >= wanted or self.failures, what="more answers")

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                with Client(self.address) as client:
                    self._ask(client)
                    while self.keep_alive and not self._end.is_set():
                        self._ask(client)
            except (OSError, WireError) as error:
                self.failures.append(repr(error))

    def _ask(self, client: Client) -> None:
        answer = client.request()
        if answer.status != 200:
            self.failures.append(f"{answer.status}")
        self.answers += 1
