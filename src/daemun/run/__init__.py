"""The process that runs: what `daemun run`, `proxy` and `demo` become once the command line is understood.

    __main__.py ── options.py ──► instance.py ── wanted.py (files or memory → Plan) ──► supervisor

It never imports typer or rich: `daemun.cli` replaces itself by this process (`python -m daemun.run`), so that what
stays resident is only what is needed to watch, lower and apply.
"""
