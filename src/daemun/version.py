"""Which Daemun this is."""

from __future__ import annotations


def installed_version() -> str | None:
    """Return the version of the installed package; None in a checkout that is not installed."""
    # Imported when it is asked: reading what is installed takes memory that `daemun run` need not have.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("daemun")
    except PackageNotFoundError:
        return None
