"""`python -m daemun` is the command `daemun`."""

from __future__ import annotations

from daemun.cli.main import main

main()
