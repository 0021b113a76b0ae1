"""Text to typed values, remembering where everything stood.

    read.py ── toml_text.py ─┐
            └─ yaml_text.py ─┴─► document.Document (tree + places) ─► section.py (pydantic, all errors at once)

Every configuration language written as TOML or YAML comes through here. Nothing in this package
knows an option of Traefik or nginx; durations.py and section.py are what their models are made of.
"""
