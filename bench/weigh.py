"""`python -m bench.weigh`: which packages fill the control plane's memory, as JSON of package → bytes.

Imports what `daemun run` imports and credits the growth of resident memory to the package whose modules
were being loaded, Python's own library as one. Run in a fresh interpreter; it is no part of a measurement.
"""

import builtins
import importlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

CONTROL_PLANE = "daemun.run.instance"
STANDARD = "standard library"
PAGE = os.sysconf("SC_PAGE_SIZE")


class Scales:
    """Stands in for `__import__`; what grows between two calls belongs to the package on top of the stack."""

    def __init__(self) -> None:
        self.weights: Counter[str] = Counter({"bare interpreter": resident()})
        self._real = builtins.__import__
        self._stack = [STANDARD]
        self._last = resident()

    def load(self, name: str, *args: Any, **options: Any) -> Any:
        """Imports as usual and weighs."""
        relative = len(args) > 3 and args[3] > 0  # the fourth argument is the level
        package = name.partition(".")[0]
        own = self._stack[-1] if relative else STANDARD if package in sys.stdlib_module_names else package
        self._credit()
        self._stack.append(own)
        try:
            return self._real(name, *args, **options)
        finally:
            self._credit()
            self._stack.pop()

    def _credit(self) -> None:
        now = resident()
        self.weights[self._stack[-1]] += now - self._last
        self._last = now


def resident() -> int:
    """The resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def main() -> None:
    """Weighs and prints."""
    sys.modules["rich"] = None  # type: ignore[assignment]  # as daemun.run does
    scales = Scales()
    builtins.__import__ = scales.load
    try:
        importlib.import_module(CONTROL_PLANE)
    finally:
        builtins.__import__ = scales._real  # noqa: SLF001
    print(json.dumps(dict(scales.weights.most_common())))


if __name__ == "__main__":
    main()
