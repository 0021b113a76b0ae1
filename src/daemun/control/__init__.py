"""The control plane's own web applications, each on a private Unix socket; loaded only when one is needed.

    pages.sock      pages.py     what the engine proxies to, like to any service: the answers of HTTP-01,
                    api.py       and the API
    commands.sock   commands.py  what the command `daemun` asks of the running instance; the engine never reaches it
    server.py                    uvicorn in our event loop, on a socket of mode 0600

Two sockets, so that no path of a request, however it is written, leads from the gate to a command.
"""
