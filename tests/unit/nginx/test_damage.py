"""Damaged configurations: whatever stands there, it is read or said, never a crash of ours."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from daemun.errors import ConfigError, Problem
from daemun.needs import assume
from daemun.nginx.catalogue import catalogue
from daemun.nginx.lower import lower
from daemun.nginx.read import read_text
from daemun.plan.plan import from_json, to_json
from tests.kit.broken import broken
from tests.kit.nginx_language import ACME

ROOT = Path(__file__).parents[3]
TEXTS = [path.read_text() for path in sorted((ROOT / "tests" / "golden" / "plan").glob("*.conf"))]
TEXTS += [case.text for case in broken()]
NAMES = sorted(catalogue())
WORDS = [
    "", "$x", "$1", "~", "=", "on", "off", "0", "-1", "9" * 20, "/", "@a", '"', "*", "http://", "unix:", "$", "{", "}",
    ";", "é", "a" * 300, "[::1]", "1.2.3.4/99", "%", "\\", "^~", "ssl", "$host",
]  # fmt: skip


def damaged(random_: random.Random) -> str:
    """A text with some of its words taken out, replaced or put in."""
    words = re.findall(r"\s+|[;{}]|[^\s;{}]+", random_.choice(TEXTS))
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(len(words))
        kind = random_.random()
        if kind < 0.3:
            del words[at : at + random_.randint(1, 3)]
        elif kind < 0.6:
            words[at] = random_.choice(WORDS)
        elif kind < 0.8:
            words[at] = random_.choice(NAMES)
        else:
            words.insert(at, f" {random_.choice(NAMES)} {random_.choice(WORDS)}; ")
        words = words or ["a"]
    return "".join(words)


@pytest.mark.parametrize("seed", range(4))
def test_damage(seed: int) -> None:
    """It lowers to a well-formed Plan, or every problem is a ConfigError's and has a place."""
    random_ = random.Random(seed)  # noqa: S311 - damage, not secrets
    for _ in range(150):
        text = damaged(random_)
        found: tuple[Problem, ...] = ()
        try:
            draft = lower(read_text(text), prefix="", acme=ACME)
            from_json(to_json(draft.plan(assume(draft.needs))))
        except ConfigError as error:
            found = error.problems
        assert all(problem.place is not None for problem in found), text
