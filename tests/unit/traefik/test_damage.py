"""Damaged configurations: whatever is changed in a file, the answer is Problems or a Plan, never a crash."""

from __future__ import annotations

import random
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from daemun.errors import ConfigError, problem_as_dict, render_problem
from daemun.plan.plan import from_json, to_json
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text, load_static

SEED = int(time.time())
STATIC = """\
entryPoints:
  web:
    address: ":80"
    asDefault: true
    http: {middlewares: [m@file], redirections: {entryPoint: {to: sec, priority: 3}}}
    forwardedHeaders: {trustedIPs: [10.0.0.0/8]}
    transport: {respondingTimeouts: {readTimeout: 3s}}
  sec: {address: ":81"}
providers: {file: {filename: x}, providersThrottleDuration: 1s}
log: {level: INFO}
accessLog: {format: json, filters: {statusCodes: ["200"], minDuration: 1s}, fields: {headers: {names: {X: keep}}}}
ping: {entryPoint: web}
"""
DYNAMIC = """\
http:
  routers:
    a: {rule: Host(`a`), service: s, middlewares: [m, c], priority: 3, entryPoints: [web]}
    b: {rule: "HostRegexp(`^b`) && !Query(`x`)", service: s@file, observability: {accessLogs: true}}
  services:
    s: {loadBalancer: {strategy: wrr, servers: [{url: 'http://a/x', weight: 3}, {url: 'unix:///a'}]}}
  middlewares:
    m: {stripPrefix: {prefixes: [/x]}}
    c: {chain: {middlewares: [m, h]}}
    h: {headers: {customRequestHeaders: {X: y}, customResponseHeaders: {Server: ''}, stsSeconds: 3}}
"""
PIECES = [
    "",
    "null",
    "-1",
    "1.5",
    "true",
    "[]",
    "{}",
    "x",
    "a@b",
    "''",
    "9" * 30,
    "[1, {a: b}]",
    "!!binary x",
    "*a",
    "&a",
]
PIECES += ["2020-01-01", "{{", "대", ":", "\n", "  ", "`(`", "<<", "0x", "1e999", ".nan", "\t"]


def damaged(text: str, source: random.Random) -> str:
    for _ in range(source.randrange(1, 4)):
        words = [match.span() for match in re.finditer(r"[A-Za-z0-9@/`^]+|[\[\]{}:,]", text)]
        start, end = source.choice(words)
        other = source.choice(words)
        text = text[:start] + source.choice([source.choice(PIECES), text[slice(*other)]]) + text[end:]
    return text


@pytest.mark.parametrize("turn", range(4))
def test_damage_never_crashes(turn: int) -> None:
    """A Plan that comes out of damage is still well formed; the seed of a failure is printed."""
    print(f"seed {SEED} turn {turn}")
    source = random.Random(SEED + turn)  # noqa: S311  (a test wants repeatable numbers)
    for _ in range(100):
        static_text = damaged(STATIC, source) if turn % 2 else STATIC
        dynamic_text = DYNAMIC if turn % 2 else damaged(DYNAMIC, source)
        try:
            static, problems = load_static(static_text, file="t.yml")
            dynamic, more = load_dynamic_text(dynamic_text, file="d.yml")
        except ConfigError:
            continue
        plan, last = lower(static, dynamic, hostname="gate")
        for problem in [*problems, *more, *last]:
            assert render_problem(problem)
            assert problem_as_dict(problem)["message"]
        assert from_json(to_json(plan)) == plan


def test_random_bytes_are_refused_or_read(tmp_path: Path) -> None:
    """Files of noise are Problems."""
    print(f"seed {SEED}")
    source = random.Random(SEED)  # noqa: S311  (a test wants repeatable numbers)
    for ending in ("toml", "yml"):
        for _ in range(100):
            path = tmp_path / f"x.{ending}"
            path.write_bytes(source.randbytes(source.randrange(60)))
            with suppress(ConfigError):
                load_static(path)
