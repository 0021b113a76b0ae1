"""The user's Traefik files with Traefik's values (COMPAT.md, Traefik v3.7), lowered by hand.

Development: one entry point and no provider, so an empty table. Production: 80 answers the HTTP-01 challenge and
redirects the rest, 443 speaks TLS and plain alike (rules tell them apart) and shows the default certificate.
"""

from __future__ import annotations

from http import HTTPStatus

from daemun.plan import fault, filter, http, listener, route, script, service, table, tls  # noqa: A004
from daemun.plan.fault import FaultKind
from daemun.plan.matching import Dialect, HostRegex, PathPrefix, Pattern
from daemun.plan.plan import VERSION, Lifetimes, Origin, Plan
from daemun.plan.template import Header, Literal, Variable
from tests.kit.lowered.nginx import Source, text

MANAGED = (
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-forwarded-scheme",
    "x-scheme",
    "x-real-ip",
)
MEBIBYTE = 1_048_576
# Status, and the text where it is not the status text; Go's own refusals begin with the number.
SAID = {
    FaultKind.BAD_REQUEST: (400, "400 Bad Request"),
    FaultKind.TARGET_TOO_LONG: (414, "414 Request-URI Too Long"),
    FaultKind.HEAD_TOO_LARGE: (431, "431 Request Header Fields Too Large"),
    FaultKind.HEAD_TIMEOUT: (408, "408 Request Timeout"),
    FaultKind.BODY_TIMEOUT: (408, "408 Request Timeout"),
    FaultKind.BODY_TOO_LARGE: (413, "Request Entity Too Large\n"),
    FaultKind.EXPECTATION_FAILED: (417, "417 Expectation Failed"),
    FaultKind.NOT_IMPLEMENTED: (501, "501 Not Implemented"),
    FaultKind.VERSION_NOT_SUPPORTED: (505, "505 HTTP Version Not Supported"),
    FaultKind.PLAIN_ON_TLS: (400, "Client sent an HTTP request to an HTTPS server.\n"),
    FaultKind.MISDIRECTED: (421, "Misdirected Request\n"),
    FaultKind.NO_ROUTE: (404, "404 page not found\n"),
    FaultKind.NOT_FOUND: (404, "404 page not found\n"),
    FaultKind.DIRECTORY_REDIRECT: (301, ""),
    FaultKind.METHOD_NOT_ALLOWED: (405, "Method Not Allowed\n"),
    FaultKind.PRECONDITION_FAILED: (412, "Precondition Failed\n"),
    FaultKind.RANGE_NOT_SATISFIABLE: (416, "Requested Range Not Satisfiable\n"),
    FaultKind.FORBIDDEN: (403, "Forbidden\n"),
    FaultKind.UNAUTHORIZED: (401, "401 Unauthorized\n"),
    FaultKind.NO_ENDPOINT: (503, "no available server\n"),
    FaultKind.CONNECT_FAILED: (502, ""),
    FaultKind.CONNECT_TIMEOUT: (504, ""),
    FaultKind.UPSTREAM_CLOSED: (502, ""),
    FaultKind.UPSTREAM_INVALID: (502, ""),
    FaultKind.RESPONSE_TIMEOUT: (504, ""),
    FaultKind.CLIENT_GONE: (499, "Client Closed Request"),
    FaultKind.TOO_MANY_JUMPS: (500, ""),
    FaultKind.INTERNAL: (500, ""),
}


def faults() -> fault.FaultAnswers:
    """Traefik's texts; those of http.Error end in a line break and carry nosniff."""
    plain = route.HeaderValue(name="Content-Type", value=text("text/plain; charset=utf-8"))
    allow = route.HeaderValue(name="Allow", value=text("GET, HEAD"))
    nosniff = route.HeaderValue(name="X-Content-Type-Options", value=text("nosniff"))
    return {
        kind: fault.FaultAnswer(
            status=status,
            log_status=status,
            headers=(
                plain,
                *((nosniff,) if said.endswith("\n") else ()),
                *((allow,) if kind is FaultKind.METHOD_NOT_ALLOWED else ()),
            ),
            body=text(said or HTTPStatus(status).phrase),
            close=(said.startswith(f"{status} ") and not said.endswith("\n"))
            or status in {413, 499}
            or "HTTPS" in said,
        )
        for kind, (status, said) in SAID.items()
    }


def policy() -> http.HttpPolicy:
    """How Traefik reads clients; the body's read timeout is an idle one here (COMPAT.md, section 5)."""
    return http.HttpPolicy(
        limits=http.Limits(
            head_bytes=MEBIBYTE,
            target_bytes=MEBIBYTE,
            field_bytes=MEBIBYTE,
            fields=1_000,
            body_bytes=0,
            chunk_line_bytes=4_096,
        ),
        tolerate=http.Tolerances(
            bare_lf=False, underscores=http.Underscores.KEEP, odd_names=http.OddNames.KEEP, empty_host=True
        ),
        path=http.PathPolicy(
            form=http.PathForm.ENCODED,
            merge_slashes=True,
            resolve_dots=True,
            refuse_above_root=False,
            refuse_fragment=True,
            query_semicolons=http.QuerySemicolons.AMPERSAND,
        ),
        forwarded=http.Forwarded(
            trust_all=False,
            trusted=(),
            strip=MANAGED,
            add=http.ForwardedAdd(server="gate", append_for=True, websocket_proto=True),
            keep_listed=MANAGED,
        ),
        timeouts=http.ClientTimeouts(
            head_ms=60_000, body_idle_ms=60_000, body_min_rate=240, write_idle_ms=0, keepalive_ms=180_000
        ),
        keepalive=http.KeepAlive(max_requests=0, max_age_ms=0),
        http2=http.Http2Limits(
            max_concurrent_streams=250,
            max_header_list_bytes=MEBIBYTE,
            initial_stream_window=MEBIBYTE,
            initial_connection_window=MEBIBYTE,
        ),
    )


def entry_point(
    origin: Origin,
    port: int,
    *,
    terminates: listener.ListenerTls | None = None,
    protocols: tuple[listener.Protocol, ...] = (listener.Protocol.HTTP1, listener.Protocol.HTTP2),
) -> listener.Listener:
    """`address = ":PORT"`."""
    return listener.Listener(
        origin=origin,
        bind=listener.Tcp(host="", port=port),
        backlog=4_096,
        max_connections=0,
        proxy_protocol=None,
        tls=terminates,
        protocols=protocols,
        http=origin.name,
        hosts=listener.Hosts(names=(), default=origin.name),
        closing=listener.Closing(accept_grace_ms=0, grace_ms=10_000),
    )


def host(origin: Origin) -> listener.Host:
    """The one virtual host of an entry point; everything in it goes by its name."""
    return listener.Host(
        origin=origin,
        server_name="",
        http=origin.name,
        tls_options=None,
        certificates=(),
        filters=(),
        table=origin.name,
        faults="traefik",
        logs=(),
    )


def transport() -> service.Transport:
    """The default serversTransport."""
    return service.Transport(
        protocol=service.UpstreamProtocol.HTTP11,
        connect_ms=30_000,
        response_head_ms=0,
        read_idle_ms=0,
        write_idle_ms=0,
        pool=service.Pool(max_idle=200, idle_ms=90_000, unsafe_idle_ms=3_000, max_requests=0, max_age_ms=0),
        limits=service.ResponseLimits(head_bytes=MEBIBYTE, fields=1_000, chunk_line_bytes=4_096, bare_lf=False),
        resolve_ms=30_000,
        tls=None,
    )


def whole(entry_points: tuple[listener.Listener, ...]) -> Plan:
    """Entry points with empty tables."""
    names = [one.origin.name for one in entry_points]
    return Plan(
        version=VERSION,
        lifetimes=Lifetimes(removed_route_ms=10_000, snapshot_ms=86_400_000),
        listeners={one.origin.name: one for one in entry_points},
        hosts={one.origin.name: host(one.origin) for one in entry_points},
        http={name: policy() for name in names},
        certificates={},
        tls_options={},
        tables={name: table.First(()) for name in names},
        routes={},
        filters={},
        services={},
        transports={"traefik": transport()},
        faults={"traefik": faults()},
        mime_types={},
        lookups={},
        logs={},
        slots=(),
    )


def development() -> Plan:
    """traefik-dev.toml."""
    return whole((entry_point(Source("traefik-dev.toml").origin("http", "[entryPoints.http]"), 80),))


def production() -> Plan:
    """traefik-prod.toml."""
    at = Source("traefik-prod.toml")
    first = at.origin("http", "[entryPoints.http]")
    second = at.origin("https", "[entryPoints.https]")
    terminates = listener.ListenerTls(
        options="default",
        certificates=(),
        default_certificate="traefik-default",
        plain=listener.PlainOnTls.SERVE,
    )
    empty = whole((entry_point(first, 80), entry_point(second, 443, terminates=terminates)))
    challenge, redirect = "acme-http@internal", "http-to-https@internal"
    every = HostRegex(Pattern(regex="^.+$", dialect=Dialect.RE2, ignore_case=False, slot=None))
    rules = (
        table.Rule(matches=PathPrefix("/.well-known/acme-challenge/"), route=challenge),
        table.Rule(matches=every, route=redirect),
    )
    return Plan(
        version=empty.version,
        lifetimes=empty.lifetimes,
        listeners=empty.listeners,
        hosts=empty.hosts,
        http=empty.http,
        # Self-signed, made by the control plane; what the resolver obtains is put beside it.
        certificates={
            "traefik-default": tls.Certificate(origin=Origin(name="DAEMUN DEFAULT CERT", file="", line=0), names=())
        },
        tls_options={"default": options()},
        tables={**empty.tables, "http": table.First(rules)},
        routes={
            redirect: internal_route(redirect, first, NOOP, filters=(f"redirect-{redirect}",)),
            challenge: internal_route(challenge, first, proxy(challenge)),
        },
        filters={f"redirect-{redirect}": to_https()},
        services={challenge: control_plane(challenge, first)},
        transports=empty.transports,
        faults=empty.faults,
        mime_types={},
        lookups={},
        logs={},
        slots=(),
    )


NOOP = route.Respond(status=418, headers=(), body=())


def options() -> tls.TlsOptions:
    """The options named `default`."""
    return tls.TlsOptions(
        min_version=tls.TlsVersion.V12,
        max_version=tls.TlsVersion.V13,
        cipher_suites=(),
        groups=(),
        alpn=("h2", "http/1.1", "acme-tls/1"),
        sni_strict=False,
        reject=False,
        session_tickets=True,
        client_auth=None,
    )


def to_https() -> filter.Redirect:
    """Whoever did not come by https to its own port goes there; the port 443 is not written."""
    location = text("https://", Variable.HOST_NAME, Variable.PATH, Variable.QUERY_MARK, Variable.QUERY)
    secure, told = (said_proto(regex) for regex in ("^(https|wss)$", "^(https?|wss?)$"))
    by_itself = script.Equals(value=(Variable.SCHEME,), to=(Literal("https"),))
    ports: tuple[script.Condition, ...] = tuple(
        script.Equals(value=(Variable.HOST_FIELD,), to=(Variable.HOST_NAME, *port)) for port in ((), (Literal(":443"),))
    )
    there = script.All((script.Any((secure, script.All((by_itself, script.Not(told))))), script.Any(ports)))
    return filter.Redirect(
        when=script.Not(there), redirect=route.Redirect(status_get=301, status_other=308, location=location)
    )


def said_proto(regex: str) -> script.Condition:
    """What a trusted peer says of the client's protocol."""
    pattern = Pattern(regex=regex, dialect=Dialect.RE2, ignore_case=True, slot=None)
    return script.Matches(value=(Header("x-forwarded-proto"),), pattern=pattern)


def internal_route(name: str, entry: Origin, action: route.Action, *, filters: tuple[str, ...] = ()) -> route.Route:
    """A router that Traefik makes itself, for the sake of an entry point."""
    return route.Route(
        origin=Origin(name=name, file=entry.file, line=entry.line),
        internal=False,
        filters=filters,
        action=action,
        faults="traefik",
        logs=(),
        body_bytes=None,
    )


def proxy(to: str) -> route.Proxy:
    """To a service as Traefik does."""
    return route.Proxy(
        service=to,
        target=route.Current(),
        host=None,
        pass_headers=True,
        pass_body=True,
        trailers=True,
        informational=True,
        request_body=route.Stream(),
        response_body=route.Stream(),
        upgrade=True,
        hide=(),
        accel=False,
        intercept_errors=False,
        rewrite_location=(),
        method=None,
        transport=None,
        retry=None,
        flush_ms=100,
    )


def control_plane(name: str, entry: Origin) -> service.Service:
    """The control plane's own application on its private socket (DESIGN.md, law 6)."""
    socket = service.Endpoint(
        address="unix:/run/daemun/pages.sock",
        scheme=service.UpstreamScheme.HTTP,
        ordinal=0,
        weight=1,
        max_connections=0,
        backup=False,
        down=False,
        url="unix:/run/daemun/pages.sock",
        rest=None,
    )
    return service.Service(
        origin=Origin(name=name, file=entry.file, line=entry.line),
        kind=service.Balanced(
            strategy=service.RoundRobin(),
            endpoints=(socket,),
            generation=0,
            transport="traefik",
            rest=service.Rest(failures=1, window_ms=10_000, rest_ms=10_000, spare_single=True, early_ms=0),
            retry=service.Retry(
                on=(service.Unsent(),), tries=0, timeout_ms=0, non_idempotent=False, resend_on_stale=True
            ),
        ),
    )
