"""The benchmark: what a proxied request, connection, router and start cost Daemun and its peers.

The flow of one run, each arrow a module::

    __main__ (options) ─► bed (origin, peers, cores) ─► scenarios/* ─► outcome ─► report/* (table, SVG, Markdown)
                              │                            │
                       peers/* (configurations)     load (wrk), process (CPU and memory from /proc)

The proxy sits alone on core 0; load generator, origin and this program share core 1. Everything stays on
loopback. A run with a single failed request is no result: it raises `InvalidRun`. The benchmark does not
test behaviour (tests/ does) and does not tune a peer beyond what its manual recommends for a proxy.
"""
