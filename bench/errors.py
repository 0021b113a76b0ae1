"""What can go wrong in a benchmark, drawn as a tree.

BenchError
├── InvalidRun    a measurement that must not become a figure (failed requests, a header missing, …)
├── NotReady      a process that did not start within its limit
└── Unavailable   a peer or a scenario that cannot run on this machine (no binary, no control plane yet)
"""


class BenchError(Exception):
    """Ends the benchmark with a message instead of a traceback."""


class InvalidRun(BenchError):
    """A measurement that must not become a figure."""


class NotReady(BenchError):
    """A process did not become ready within its limit."""


class Unavailable(BenchError):
    """A peer or scenario cannot run here; the report says so and goes on."""
