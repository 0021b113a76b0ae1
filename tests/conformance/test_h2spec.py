"""h2spec, the conformance suite for HTTP/2: every case, in clear text and over TLS.

`tools/setup.sh test` builds it (its version and what it is made of are pinned in tools/h2spec). Expected failures would
stand in `EXPECTED`, each with its reason; there are none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit.engine import Engine
from tests.kit.origin import Origin, answering
from tests.kit.plans import listener, plan, replaced
from tests.kit.secured import secured

ROOT = Path(__file__).parents[2]
CASES = 145
"""Of this version of h2spec."""
EXPECTED: dict[str, str] = {}
"""Title of a case → why it fails."""
SUMMARY = re.compile(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed")


def _h2spec() -> str:
    found = shutil.which("h2spec", path=f"{ROOT / '.cache' / 'bin'}:{os.environ.get('PATH', '')}")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("h2spec is not here: tools/setup.sh test builds it")
        pytest.skip("h2spec is not here: tools/setup.sh test builds it")
    return found


def _run(host: str, port: int, *options: str) -> None:
    command = [_h2spec(), "-h", host, "-p", str(port), "-o", "5", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    said = result.stdout + result.stderr
    summary = SUMMARY.search(said)
    assert summary, said
    failed = set(re.findall(r"^ +\u00d7 \d+: (.+)$", said.partition("Failures:")[2], re.MULTILINE))
    assert failed == set(EXPECTED), said[said.find("Failures:") :]
    assert tuple(int(number) for number in summary.groups()) == (CASES, CASES - len(EXPECTED), 0, len(EXPECTED))


def test_clear_text() -> None:
    """All cases where nothing but HTTP/2 is spoken.

    Where HTTP/1 is spoken too, one case cannot hold: a wrong preface is an HTTP/1 request there and answered as one.
    """
    with (
        Origin(answering(b"x" * 100)) as origin,
        Engine(plan(origin.address, listeners={"web": listener(protocols=["http2"])})) as engine,
    ):
        _run(*engine.tcp())


def test_over_tls() -> None:
    """All cases over TLS, HTTP/2 by ALPN, beside HTTP/1."""
    with (
        secured(options={"alpn": ["h2", "http/1.1"]}, tls_fields={"default": "exact"}) as (engine, whole),
        Origin(answering(b"x" * 100)) as origin,
    ):
        both = replaced(whole, "listeners.web.protocols", ["http1", "http2"])
        engine.apply(replaced(both, "services.app.kind.balanced.endpoints.0.address", origin.address))
        _run(*engine.tcp(), "-t", "-k")
