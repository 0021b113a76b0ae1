"""The most common arrangement: one client connection, one engine, one origin."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.kit.engine import Engine
from tests.kit.origin import Origin, Script, echo
from tests.kit.plans import plan
from tests.kit.wire import Client


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`client` talks to `engine`, which has `origin` behind it."""

    client: Client
    engine: Engine
    origin: Origin


@contextlib.contextmanager
def gate(script: Script = echo, *, unix: bool = False, **fields: Any) -> Iterator[Gate]:
    """All three, ready; the origin on a Unix socket when `unix`; `fields` go to `plans.plan`."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="daemun-origin-"))
        origin = stack.enter_context(Origin(script, unix=f"{directory}/origin.sock" if unix else None))
        engine = stack.enter_context(Engine(plan(origin.address, **fields)))
        client = stack.enter_context(engine.client())
        yield Gate(client=client, engine=engine, origin=origin)
