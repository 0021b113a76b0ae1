"""Certificates and keys on their way to the engine: read, made, watched, never written into a Plan.

    files.py  ─┐  pairs and roots that the configuration names
    local.py  ─┤  names no public authority signs, by an authority of the user's own
    default.py ┼─► gather.py ──► what is at hand (for lowering) and the bytes (for the engine)
    … a source ┘  anything else that has certificates, such as ACME
    material.py   one certificate with its key, understood

`cryptography` is imported inside functions: a control plane without TLS never loads it. Nothing here speaks to the
engine, and no key is logged, shown or written, but for the local authority's own file.
"""
