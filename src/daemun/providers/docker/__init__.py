"""The Docker provider: containers announce themselves by their labels.

    container.py       what a Docker engine says of a container, typed
    configuration.py   containers ──► the dynamic configuration they ask for
      exposure.py        which of them are routed to, and why others are not
      labels.py          names of labels ──► paths of options
      label_document.py  settings as a document, whose places are a container and a label
      reach.py           what labels must not reach
      services.py        services with their servers ── address.py: where a container is reached
      routers.py         routers with rule and service
      merge.py           what several containers ask for, as one

Nothing here writes to a Docker engine: only GET calls are ever made.
"""
