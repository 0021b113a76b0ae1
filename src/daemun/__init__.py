"""Daemun's control plane: reads configurations, decides, and tells the engine. It moves no traffic itself.

    cli ─► run (process) ─► supervisor ─┬─► providers ─► traefik ─► config ─► errors
                                        └─► engine (process, control socket) ◄── plan

    cli/          the command `daemun`, one file a command; never part of the running control plane
    run/          the lean process that `daemun run` becomes
    supervisor    one loop: wanted configuration → Plan → engine
    providers/    where dynamic configuration comes from, each an async stream
    engine/       finds, starts, adopts and feeds `daemun-engine`
    traefik/      the Traefik language: models with its defaults, rules, lowering to the Plan
    plan/         the Plan's types, twin of the Rust crate
    config/       text to a tree that remembers its places
    errors        problems with their places, and the exceptions that carry them

Imports point from left to right; DESIGN.md says why there are two processes.
"""
