"""`python -m daemun.run OPTIONS`: see options.py."""

from __future__ import annotations

import sys

from daemun.run.instance import run
from daemun.run.options import read_options

sys.exit(run(read_options(sys.argv[1])))
