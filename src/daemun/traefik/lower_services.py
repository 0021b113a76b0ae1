"""Services of the dynamic configuration to the Plan: endpoints, strategy, transport, retry.

Facts (Traefik v3.7): Host of the client goes upstream unless passHostHeader is false; a URL's path is ignored
unless preservePath; a server's scheme stands in its URL. Decisions: a dead server costs no client an error while another lives (unsent requests, and safe ones that met a reset, go
to the next; the dead one rests 10 s), Traefik needs its Retry middleware for that. `hrw` is our IP hash.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from daemun.errors import Problem
from daemun.plan import service as plan
from daemun.plan.origin import Origin
from daemun.plan.template import Literal, Template, Variable
from daemun.traefik.dynamic import Entry, LoadBalancer, Service
from daemun.traefik.lower_filters import Refusal
from daemun.traefik.lower_listeners import millis
from daemun.traefik.lower_transports import Transports
from daemun.traefik.server_url import ServerUrl, split_url

_STRATEGIES: dict[str, plan.Strategy] = {
    "wrr": plan.RoundRobin(),
    "p2c": plan.PowerOfTwo(),
    "hrw": plan.IpHash(),
    "leasttime": plan.LeastTime(),
    "leastconn": plan.LeastConnections(),
    "iphash": plan.IpHash(),
}
_REST = plan.Rest(failures=1, window_ms=10_000, rest_ms=10_000, spare_single=True)
_RETRY = plan.Retry(
    on=(plan.Unsent(), plan.Error()),
    tries=0,
    timeout_ms=0,
    non_idempotent=False,
    resend_on_stale=True,
)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A service as routes need it: its id and what the route must add for it."""

    service: str
    host: Template | None
    prefix: str
    flush_ms: int


def lower_service(
    entry: Entry[Service], transports: Transports
) -> tuple[plan.Service, Destination, list[Problem]] | Refusal:
    """Return the balanced service, what routes need to use it, and Problems (servers that come later).

    Or why the service cannot be served: what its transport asks for is not there.
    """
    balancer = entry.value.load_balancer or LoadBalancer()
    name = entry.full_name
    problems: list[Problem] = []
    endpoints: list[plan.Endpoint] = []
    urls: list[ServerUrl] = []
    prefixes: list[str] = []
    count: Counter[str] = Counter()
    for index, server in enumerate(balancer.servers):
        url = split_url(server.url)
        if url.scheme == "h2c":
            problems.append(_later(entry, index, url.scheme))
            continue
        urls.append(url)
        prefixes.append(url.path if server.preserve_path else "")
        endpoints.append(
            plan.Endpoint(
                address=url.address,
                scheme=plan.UpstreamScheme.HTTPS if url.scheme == "https" else plan.UpstreamScheme.HTTP,
                ordinal=count[url.address],
                weight=server.weight,
                max_connections=0,
                rest=None,
                backup=False,
                down=server.weight == 0,
                url=server.url,
            )
        )
        count[url.address] += 1
    if len(set(prefixes)) > 1:
        problems.append(_mixed_paths(entry))
    secured = any(url.scheme == "https" for url in urls)
    transport = transports.use(balancer.servers_transport, provider=entry.provider, secured=secured)
    if isinstance(transport, Refusal):
        return transport
    balanced = plan.Balanced(
        strategy=_STRATEGIES[balancer.strategy],
        endpoints=tuple(endpoints),
        generation=0,
        transport=transport,
        rest=_REST,
        retry=_RETRY,
    )
    origin = Origin(name=name, file=entry.document.file, line=entry.line)
    destination = Destination(
        service=name,
        host=None if balancer.pass_host_header else _host(urls),
        prefix=prefixes[0] if prefixes and len(set(prefixes)) == 1 else "",
        flush_ms=millis(balancer.response_forwarding.flush_interval),
    )
    return plan.Service(origin=origin, kind=balanced), destination, problems


def _host(urls: list[ServerUrl]) -> Template:
    """Return the Host that names the server itself; one that all share stands in the Plan as it is."""
    hosts = {"localhost" if url.scheme == "unix" else url.host for url in urls}
    return (Literal(hosts.pop()),) if len(hosts) == 1 else (Variable.UPSTREAM_ADDRESS,)


def service_problem(entry: Entry[Service], refusal: Refusal) -> Problem:
    """Say why a service cannot be served."""
    return Problem(
        severity="warning" if refusal.later else "error",
        kind="not_yet" if refusal.later else "reference",
        message=f"the service {entry.name!r} is not served: {refusal.message}",
        place=entry.place("loadBalancer", "serversTransport", value=True),
        subject=f"{entry.subject}.loadBalancer.serversTransport",
        suggestion=refusal.suggestion,
    )


def _later(entry: Entry[Service], index: int, scheme: str) -> Problem:
    return Problem(
        severity="warning",
        kind="not_yet",
        message=f"not yet: {scheme} towards servers comes later; this server gets no requests",
        place=entry.place("loadBalancer", "servers", index, "url", value=True),
        subject=f"{entry.subject}.loadBalancer.servers[{index}].url",
    )


def _mixed_paths(entry: Entry[Service]) -> Problem:
    return Problem(
        severity="warning",
        kind="not_yet",
        message="not yet: preservePath with different paths in one service comes later; the paths are not used",
        place=entry.place("loadBalancer", "servers"),
        subject=f"{entry.subject}.loadBalancer.servers",
    )
