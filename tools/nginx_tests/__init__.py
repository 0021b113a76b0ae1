"""Runs nginx's own test suite (the repository nginx-tests, which is fetched and never committed) through `daemun nginx`.

    __main__.py ── run.py (one file of the suite: its process, its time, its end) ── tap.py (what it said)
                └─ score.py ── docs/reference/nginx-tests.md, with the reasons of reasons.json

`make nginx-tests SUITE=DIR`; files.txt names the files. Nothing here knows what a test wants.
"""
