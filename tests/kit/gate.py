"""The most common arrangement: one client connection, one engine, one origin."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.kit.engine import Engine
from tests.kit.http2 import Http2
from tests.kit.origin import Origin, Script, echo
from tests.kit.plans import listener, plan
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


@dataclass(frozen=True, kw_only=True)
class StreamGate:
    """The same with a client that speaks HTTP/2."""

    client: Http2
    engine: Engine
    origin: Origin


@contextlib.contextmanager
def http2_gate(
    script: Script = echo,
    *,
    client: dict[str, Any] | None = None,
    closing: dict[str, Any] | None = None,
    threads: int = 4,
    **fields: Any,
) -> Iterator[StreamGate]:
    """All three, ready; the listener speaks HTTP/1 too. `client` goes to `Http2`, `fields` to `plans.plan`."""
    with contextlib.ExitStack() as stack:
        origin = stack.enter_context(Origin(script))
        fields.setdefault("listeners", {"web": http2_listener(**({"closing": closing} if closing else {}))})
        engine = stack.enter_context(Engine(plan(origin.address, **fields), threads=threads))
        connection = stack.enter_context(Http2(engine.address(), **(client or {})))
        yield StreamGate(client=connection, engine=engine, origin=origin)


def http2_listener(**fields: Any) -> dict[str, Any]:
    """A listener in clear text for both protocols."""
    return listener(protocols=["http1", "http2"], **fields)
