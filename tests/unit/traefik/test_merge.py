"""Several providers: names are apart, references cross by `@`, ties go by provider."""

from __future__ import annotations

from collections.abc import Mapping

from daemun.config.read import read_text
from daemun.errors import Problem
from daemun.plan import table
from daemun.plan.plan import Plan
from daemun.traefik.dynamic import Dynamic, build_dynamic
from daemun.traefik.lower import lower
from daemun.traefik.merge import merged
from daemun.traefik.read import load_static

STATIC = "[entryPoints.web]\naddress = ':80'\n"
SERVICE = "services: {s: {loadBalancer: {servers: [{url: 'http://%s'}]}}}"


def parts(texts: Mapping[str, str]) -> dict[str, Dynamic]:
    """Read a text for each provider."""
    found: dict[str, Dynamic] = {}
    for provider, text in texts.items():
        found[provider], problems = build_dynamic([read_text(text, file=f"{provider}.yml")], provider=provider)
        assert problems == []
    return found


def made(
    texts: Mapping[str, str], *, static: str = STATIC, providers: tuple[str, ...] = ()
) -> tuple[Plan, list[Problem]]:
    """Merge and lower."""
    dynamic, problems = merged(parts(texts), providers=[*texts, *providers])
    plan, more = lower(load_static(static)[0], dynamic, hostname="gate")
    return plan, [*problems, *more]


def order(plan: Plan) -> list[str]:
    """Return the routes of the entry point in their order."""
    tried = plan.tables["web"]
    assert isinstance(tried, table.First)
    return [rule.route for rule in tried.rules]


def test_the_same_name_in_two_providers_is_two_things() -> None:
    """A reference without a provider means the writer's own."""
    router = "routers: {r: {rule: Path(`/%s`), service: s}}"
    plan, problems = made(
        {name: f"http: {{{router % name}, {SERVICE % name}}}" for name in ("file", "docker", "docker-west")}
    )
    assert problems == []
    assert set(plan.services) == {"s@file", "s@docker", "s@docker-west"}
    for name in ("file", "docker", "docker-west"):
        assert plan.routes[f"r@{name}"].action.service == f"s@{name}"  # type: ignore[union-attr]


def test_references_cross_with_an_at_sign() -> None:
    """A label may name the file's middleware and service; a chain's members are those of the chain's provider."""
    plan, problems = made(
        {
            "file": "http: {middlewares: {all: {chain: {middlewares: [add]}}, add: {addPrefix: {prefix: /f}}}, "
            + SERVICE % "f"
            + "}",
            "docker": "http: {routers: {r: {rule: Path(`/`), service: s@file, middlewares: [all@file, add]}}, "
            "middlewares: {add: {addPrefix: {prefix: /d}}}}",
        }
    )
    assert problems == []
    assert plan.routes["r@docker"].filters == ("add@file", "add@docker")
    assert plan.routes["r@docker"].action.service == "s@file"  # type: ignore[union-attr]


def test_an_entry_point_means_each_routers_provider() -> None:
    """As in Traefik: the entry point's `add` is the file's for the file's routers; docker has none, and is told."""
    static = STATIC + "[entryPoints.web.http]\nmiddlewares = ['add']\n"
    router = "routers: {r: {rule: Path(`/`), service: s}}"
    plan, problems = made(
        {
            "file": f"http: {{{router}, {SERVICE % 'f'}, middlewares: {{add: {{addPrefix: {{prefix: /f}}}}}}}}",
            "docker": f"http: {{{router}, {SERVICE % 'd'}}}",
        },
        static=static,
    )
    assert set(plan.routes) == {"web-r@file"}
    [problem] = problems
    assert "no middleware 'add'" in problem.message
    assert problem.suggestion == "add@file"


def test_ties_go_by_provider_then_by_name() -> None:
    """Docker before file, the engine without a name before those with one."""
    router = "routers: {b: {rule: Path(`/`), service: s}, a: {rule: Path(`/`), service: s}}"
    plan, _ = made({name: f"http: {{{router}, {SERVICE % name}}}" for name in ("file", "docker-west", "docker")})
    assert order(plan) == ["a@docker", "b@docker", "a@docker-west", "b@docker-west", "a@file", "b@file"]


def test_a_reference_to_a_provider_that_says_nothing_yet() -> None:
    """It is configured, so nothing is wrong yet; one that is not configured never will say anything."""
    text = "http: {routers: {r: {rule: Path(`/`), service: s@docker}}}"
    _, [problem] = made({"file": text}, providers=("docker",))
    assert "the provider 'docker' has not said yet whether there is 's@docker'" in problem.message
    assert problem.severity == "warning"
    _, [problem] = made({"file": text})
    assert "no provider 'docker' is configured" in problem.message


def test_the_default_store_of_a_file_stays() -> None:
    """A label cannot take the default certificate away."""
    text = "tls: {stores: {default: {defaultCertificate: {certFile: %s, keyFile: k}}}}"
    dynamic, [problem] = merged(parts({"docker": text % "d", "file": text % "f"}), providers=["docker", "file"])
    certificate = dynamic.tls_stores["default"].value.default_certificate
    assert certificate is not None
    assert certificate.cert_file == "f"
    assert str(problem.place).startswith("docker.yml:1")
