"""Where dynamic configuration comes from: each provider is an async stream of whole configurations.

    said.py    what a provider says
    file.py    files and directories, read again when they change
    docker/    containers of Docker engines, told of by events
    watch.py   tells when files changed, whatever way they were changed

A provider reads and reports; it merges nothing and lowers nothing. What it cannot read it says, and goes on.
"""
