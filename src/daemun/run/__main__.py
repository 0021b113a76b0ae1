"""`python -m daemun.run OPTIONS`: see options.py."""

from __future__ import annotations

import sys

# structlog loads rich for tracebacks we never print: 4 MB that this process would keep for ever.
sys.modules["rich"] = None  # type: ignore[assignment]

from daemun.run.instance import run  # noqa: E402 - after the line above
from daemun.run.options import read_options  # noqa: E402

sys.exit(run(read_options(sys.argv[1])))
