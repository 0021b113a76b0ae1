"""Names over several providers: `web@docker` is the `web` that the provider `docker` defines.

    reference "auth", written by docker ──► "auth@docker"       "auth@file" ──► "auth@file"

Facts (Traefik v3.7): a name without `@` means the same provider as whoever wrote it; what an entry point names means the
provider of each router it serves. Of two routers with the same priority the one of the earlier provider comes first,
docker before file. TLS options and stores named `default` are everybody's and have no provider.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from daemun.errors import nearest

FILE = "file"
DOCKER = "docker"
INTERNAL = "internal"


def qualified(reference: str, provider: str) -> str:
    """Return the full name of what somebody of this provider names."""
    return reference if "@" in reference else f"{reference}@{provider}"


def provider_of(name: str) -> str:
    """Return the provider of a full name."""
    return name.partition("@")[2]


def precedence(provider: str) -> tuple[int, str]:
    """Return what sorts providers as Traefik does; of several Docker engines the first is the one without a name."""
    is_docker = provider == DOCKER or provider.startswith(f"{DOCKER}-")
    return (0 if is_docker else 1, provider)


def unknown(
    kind: str,
    reference: str,
    provider: str,
    *,
    known: Iterable[str],
    providers: Collection[str],
    silent: Collection[str] = (),
) -> str:
    """Say that there is nothing of this name: `kind` is `is no service` or `are no TLS options`.

    Of the `silent` providers that is not known yet.
    """
    wanted = provider_of(qualified(reference, provider))
    if wanted in silent:
        return f"the provider {wanted!r} has not said yet whether there is {reference!r}"
    if wanted in providers or any(provider_of(name) == wanted for name in known):
        return f"there {kind} {reference.removesuffix(f'@{provider}')!r}"
    return f"there {kind} {reference!r}: no provider {wanted!r} is configured"


def suggestion(reference: str, provider: str, *, known: Collection[str]) -> str:
    """Return the nearest name, as this provider would write it: first of all the same one of another provider."""
    bare = reference.partition("@")[0]
    for name in sorted(known):
        if name != bare and name.partition("@")[0] == bare:
            return name.removesuffix(f"@{provider}")
    if "@" in reference and provider_of(reference) not in {provider_of(name) for name in known}:
        return ""
    return nearest(reference, [name.removesuffix(f"@{provider}") for name in known])
