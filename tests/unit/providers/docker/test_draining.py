"""Servers go, services stay."""

from __future__ import annotations

from daemun.config.read import read_text
from daemun.providers.docker.draining import without_servers
from daemun.traefik.dynamic import Dynamic, build_dynamic


def dynamic(**services: tuple[str, ...]) -> Dynamic:
    """Services with these servers, and a router each."""
    made = "\n".join(
        f"    {name}: {{loadBalancer: {{servers: [{', '.join(f'{{url: http://{url}}}' for url in urls)}]}}}}"
        for name, urls in services.items()
    )
    routers = "\n".join(f"    {name}: {{rule: Path(`/{name}`), service: {name}}}" for name in services)
    text = f"http:\n  services:\n{made}\n  routers:\n{routers}\n"
    return build_dynamic([read_text(text, file="d.yml")], provider="docker")[0]


def servers(of: Dynamic) -> dict[str, list[str]]:
    """The URLs of each service."""
    return {
        name: [server.url for server in entry.value.load_balancer.servers]
        for name, entry in of.services.items()
        if entry.value.load_balancer is not None
    }


def test_a_service_keeps_the_servers_of_the_rest() -> None:
    """One whose last server goes stays, with none: its router answers 503, not 404."""
    whole, rest = dynamic(one=("a", "b"), two=("c",)), dynamic(one=("b",))
    made = without_servers(whole, rest)
    assert servers(made) == {"one@docker": ["http://b"], "two@docker": []}
    assert made.routers == whole.routers
    assert without_servers(whole, whole) == whole
