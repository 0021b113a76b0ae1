"""The command `daemun`: one file a command, each with its own `typer` function.

    main.py ─┬─ `nginx …` ──► daemun.run.drop_in
             └─ commands.py ──► run.py, check.py, proxy.py, demo.py, explain.py, certs.py, trust.py, version.py

`run` and `proxy` replace this process by `python -m daemun.run`, so that typer and rich do not stay in memory. A
module imports what it needs inside its function: `daemun --help` is answered without loading any language.
"""
