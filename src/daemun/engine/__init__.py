"""The engine as the control plane sees it: a process and a socket.

    locate.py ── process.py ──► the process `daemun-engine`
                                   ▲
    frames.py ── client.py ────────┘ control socket (docs/reference/engine.md)
                    ▲
    state.py ── keeper.py ◄── supervisor      one engine, kept running, on the last Plan

Nothing here makes a Plan: it comes as JSON bytes and goes to the engine as it is.
"""
