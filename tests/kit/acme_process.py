"""A process that orders certificates, and may be killed in the middle: `python -m tests.kit.acme_process JSON`.

Answers go to a folder of tokens, which the test serves; so several processes share one place where the authority looks.
With `die` the process kills itself just before or just after that step, as a power cut would. It ends with 0 when it has
a certificate for each of its names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kit.engine import ROOT, TEST_RUN

STEPS = {
    "register": ("daemun.acme.authority", "Authority", "register"),
    "new_order": ("daemun.acme.authority", "Authority", "new_order"),
    "authorization": ("daemun.acme.authority", "Authority", "authorization"),
    "answer": ("daemun.acme.authority", "Authority", "answer"),
    "finalize": ("daemun.acme.authority", "Authority", "finalize"),
    "chains": ("daemun.acme.authority", "Authority", "chains"),
    "account": ("daemun.acme.store", None, "update"),
    "certificate": ("daemun.acme.store", None, "put_certificate"),
    "finish": ("daemun.acme.order", "Ordering", "_finish"),
    "journal": ("daemun.acme.journal", "Journal", "keep"),
}


def start(**options: Any) -> subprocess.Popen[bytes]:
    """Start the process; see `main` for the options."""
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.kit.acme_process", json.dumps(options)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "DAEMUN_TEST": TEST_RUN},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


async def main(options: dict[str, Any]) -> None:
    """Order until there is everything.

    `directory`, `tokens`: folders. `resolver`: fields of a Resolver. `names`: one wish each. `http_port`: where the test
    serves the tokens. `die`: a step of STEPS, with `when` "before" or "after".
    """
    from daemun.acme.acme import Acme
    from daemun.acme.preflight import Preflight
    from daemun.acme.resolver import Resolver
    from tests.kit.acme import Answers, TokenFolder, wish

    if "die" in options:
        _die_at(*STEPS[options["die"]], before=options["when"] == "before")
    answers = Answers(TokenFolder(Path(options["tokens"])))
    there = asyncio.Event()

    async def resolve(_: str) -> list[str]:
        return ["127.0.0.1"]

    def changed() -> None:
        if len(acme.materials()) >= len(options["names"]):
            there.set()

    fields = options["resolver"]
    resolver = Resolver(**{**fields, "ca_certificates": tuple(fields["ca_certificates"])})
    from daemun.acme.clock import WallClock

    acme = Acme(
        directory=Path(options["directory"]),
        challenges=answers,
        changed=changed,
        preflight=Preflight(answers, now=WallClock().now, resolve=resolve, http_port=options["http_port"]),
    )
    await acme.want([resolver], [wish(name, resolver=resolver.name) for name in options["names"]])
    changed()
    task = asyncio.create_task(acme.run())
    await asyncio.wait_for(there.wait(), 25)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _die_at(module: str, owner: str | None, name: str, *, before: bool) -> None:
    """Replace a function by one that is the process's last."""
    import importlib

    holder: Any = importlib.import_module(module)
    holder = holder if owner is None else getattr(holder, owner)
    real: Callable[..., Any] = getattr(holder, name)

    def last(*arguments: Any, **named: Any) -> Any:
        if not before:
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(holder, name, last)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
