"""The Traefik language: its files, its defaults, its rules, lowered to a Plan.

    read.py ── static.py, dynamic.py (models) ── rules.py (rule text → tree) ── lower.py ──► daemun.plan
    check.py asks the same readers for everything that is wrong.

Traefik's defaults live here and nowhere else. This package opens no socket, watches no file and
knows nothing of the engine but the Plan's types.
"""
