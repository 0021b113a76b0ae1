"""Where dynamic configuration comes from: each provider is an async stream of whole configurations.

    file.py    files and directories, read again when they change
    watch.py   tells when files changed, whatever way they were changed

A provider reads and reports; it merges nothing and lowers nothing. What it cannot read it says, and goes on.
"""
