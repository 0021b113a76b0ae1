"""The Docker provider: containers announce themselves by their labels.

    container.py    what a Docker engine says of a container, typed

Nothing here writes to a Docker engine: only GET calls are ever made.
"""
