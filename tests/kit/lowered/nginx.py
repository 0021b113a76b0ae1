"""nginx's own values as pieces of a Plan (COMPAT.md, nginx.conf): policy, pages, transport, one proxy_pass.

A case calls `Server` for what stands in its file and `whole` for the Plan. Origins take their line from the source
beside the golden file, so moving a line there moves it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from daemun.plan import fault, files, filter, http, listener, log, route, service, table, template  # noqa: A004
from daemun.plan.fault import FaultKind
from daemun.plan.plan import VERSION, Lifetimes, Origin, Plan
from daemun.plan.template import Literal, Part, Template, Variable

SOURCES = Path(__file__).parents[2] / "golden" / "plan"
MINUTE = 60_000
# proxy_hide_header's own list, in lower case.
HIDDEN = (
    "date",
    "server",
    "x-pad",
    "x-accel-expires",
    "x-accel-redirect",
    "x-accel-limit-rate",
    "x-accel-buffering",
    "x-accel-charset",
)
# add_header speaks on these unless `always`.
ADD_HEADER_STATUSES = (200, 201, 204, 206, 301, 302, 303, 304, 307, 308)
REASONS = {
    301: "301 Moved Permanently",
    302: "302 Found",
    400: "400 Bad Request",
    401: "401 Authorization Required",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Not Allowed",
    408: "408 Request Time-out",
    412: "412 Precondition Failed",
    413: "413 Request Entity Too Large",
    414: "414 Request-URI Too Large",
    416: "416 Requested Range Not Satisfiable",
    417: "417 Expectation Failed",
    421: "421 Misdirected Request",
    499: "499 Client Closed Request",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    504: "504 Gateway Time-out",
    505: "505 HTTP Version Not Supported",
}
# After these nginx keeps no connection.
CLOSING = (400, 408, 413, 414, 499, 500, 501)
STATUS_OF = {
    FaultKind.BAD_REQUEST: 400,
    FaultKind.TARGET_TOO_LONG: 414,
    FaultKind.HEAD_TOO_LARGE: 400,
    FaultKind.HEAD_TIMEOUT: 408,
    FaultKind.BODY_TIMEOUT: 408,
    FaultKind.BODY_TOO_LARGE: 413,
    FaultKind.EXPECTATION_FAILED: 417,
    FaultKind.NOT_IMPLEMENTED: 501,
    FaultKind.VERSION_NOT_SUPPORTED: 505,
    FaultKind.PLAIN_ON_TLS: 400,
    FaultKind.MISDIRECTED: 421,
    FaultKind.NO_ROUTE: 404,
    FaultKind.NOT_FOUND: 404,
    FaultKind.DIRECTORY_REDIRECT: 301,
    FaultKind.METHOD_NOT_ALLOWED: 405,
    FaultKind.PRECONDITION_FAILED: 412,
    FaultKind.RANGE_NOT_SATISFIABLE: 416,
    FaultKind.FORBIDDEN: 403,
    FaultKind.UNAUTHORIZED: 401,
    FaultKind.NO_ENDPOINT: 502,
    FaultKind.CONNECT_FAILED: 502,
    FaultKind.CONNECT_TIMEOUT: 504,
    FaultKind.UPSTREAM_CLOSED: 502,
    FaultKind.UPSTREAM_INVALID: 502,
    FaultKind.RESPONSE_TIMEOUT: 504,
    FaultKind.CLIENT_GONE: 499,
    FaultKind.TOO_MANY_JUMPS: 500,
    FaultKind.INTERNAL: 500,
}
# 494 and 497 are answered as 400 with a sentence of their own.
SENTENCES = {
    FaultKind.HEAD_TOO_LARGE: "Request Header Or Cookie Too Large",
    FaultKind.PLAIN_ON_TLS: "The plain HTTP request was sent to HTTPS port",
}
ABSOLUTE: Template = (Literal("http://"), Variable.HOST_OR_ADDRESS, Literal(":8080"))
HTML = route.HeaderValue(name="Content-Type", value=(Literal("text/html"),))


def text(*parts: str | Part) -> Template:
    """A template of texts and parts."""
    return tuple(part if isinstance(part, Variable) or not isinstance(part, str) else Literal(part) for part in parts)


def page(status: int, sentence: str = "") -> str:
    """The page of a status."""
    title = f"400 {sentence}" if sentence else REASONS[status]
    extra = f"<center>{sentence}</center>\r\n" if sentence else ""
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{REASONS[status]}</h1></center>\r\n"
        f"{extra}<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )


def faults() -> fault.FaultAnswers:
    """A page for every fault."""
    return {
        kind: fault.FaultAnswer(
            status=status,
            log_status=status,
            headers=(HTML,),
            body=text(page(status, SENTENCES.get(kind, ""))),
            close=status in CLOSING,
        )
        for kind, status in STATUS_OF.items()
    }


def answer(status: int, *, location: Template = ()) -> route.Respond:
    """`return STATUS [URL]`: nginx's page, no body for 204."""
    fields = (route.HeaderValue(name="Location", value=location),) if location else ()
    if status == 204:
        return route.Respond(status=status, headers=fields, body=())
    return route.Respond(status=status, headers=(HTML, *fields), body=text(page(status)))


def policy() -> http.HttpPolicy:
    """How nginx reads clients."""
    return http.HttpPolicy(
        limits=http.Limits(
            head_bytes=33_792,  # 1k and four times 8k
            target_bytes=8_192,
            field_bytes=8_192,
            fields=1_000,
            body_bytes=1_048_576,
            chunk_line_bytes=4_096,
        ),
        tolerate=http.Tolerances(
            bare_lf=True, underscores=http.Underscores.DROP, odd_names=http.OddNames.DROP, empty_host=False
        ),
        path=http.PathPolicy(
            form=http.PathForm.DECODED,
            merge_slashes=True,
            resolve_dots=True,
            refuse_above_root=True,
            refuse_fragment=False,
            query_semicolons=http.QuerySemicolons.KEEP,
        ),
        forwarded=http.Forwarded(trust_all=False, trusted=(), strip=(), add=None, keep_listed=()),
        timeouts=http.ClientTimeouts(
            head_ms=MINUTE, body_idle_ms=MINUTE, body_min_rate=0, write_idle_ms=MINUTE, keepalive_ms=75_000
        ),
        keepalive=http.KeepAlive(max_requests=1_000, max_age_ms=60 * MINUTE),
        http2=http.Http2Limits(
            max_concurrent_streams=128,
            max_header_list_bytes=33_792,
            initial_stream_window=65_536,
            initial_connection_window=2_147_483_647,
        ),
    )


def transport(*, read_ms: int = MINUTE) -> service.Transport:
    """The timeouts and pool; unsafe methods are more careful than nginx (DESIGN.md, section 2)."""
    return service.Transport(
        protocol=service.UpstreamProtocol.HTTP11,
        connect_ms=MINUTE,
        response_head_ms=read_ms,
        read_idle_ms=read_ms,
        write_idle_ms=MINUTE,
        pool=service.Pool(
            max_idle=32, idle_ms=MINUTE, unsafe_idle_ms=3_000, max_requests=1_000, max_age_ms=60 * MINUTE
        ),
        limits=service.ResponseLimits(head_bytes=8_192, fields=1_000, chunk_line_bytes=4_096, bare_lf=True),
        resolve_ms=30_000,
        tls=None,
    )


def rest(*, failures: int = 1, seconds: int = 10) -> service.Rest:
    """`max_fails` and `fail_timeout`."""
    return service.Rest(
        failures=failures, window_ms=seconds * 1_000, rest_ms=seconds * 1_000, spare_single=True, early_ms=1_000
    )


def retry(*on: service.RetryOn) -> service.Retry:
    """`proxy_next_upstream`, by default `error timeout`."""
    return service.Retry(
        on=on or (service.Unsent(), service.Error(), service.Timeout()),
        tries=0,
        timeout_ms=0,
        non_idempotent=False,
        resend_on_stale=True,
    )


def endpoint(address: str, *, backup: bool = False, own_rest: service.Rest | None = None) -> service.Endpoint:
    """One `server` of an upstream."""
    return service.Endpoint(
        address=address,
        scheme=service.UpstreamScheme.HTTP,
        ordinal=0,
        weight=1,
        max_connections=0,
        backup=backup,
        down=False,
        url=address,
        rest=own_rest,
    )


def proxy(to: str, *, base: Template = ABSOLUTE) -> route.Proxy:
    """`proxy_pass http://TO` without URI in a location, nothing else said."""
    return route.Proxy(
        service=to,
        target=route.Raw(),
        host=text(to),
        pass_headers=True,
        pass_body=True,
        trailers=False,
        informational=False,
        request_body=route.Buffer(memory=16_384),
        response_body=route.Ahead(memory=65_536, file=1_073_741_824),
        upgrade=False,
        hide=HIDDEN,
        accel=True,
        intercept_errors=False,
        rewrite_location=(route.LocationRewrite(from_=text(f"http://{to}/"), pattern=None, base=base, to=text("/")),),
        method=None,
        transport=None,
        retry=None,
        flush_ms=0,
    )


def files_of(root: str) -> files.Files:
    """`root DIR` with nginx's index and built-in types."""
    return files.Files(
        root=text(root),
        alias=files.Off(),
        index=(text("index.html"),),
        index_table="main",
        listing=None,
        fallback=None,
        precompressed=files.Precompressed(codings=(), always=False, vary=False, http10=False, proxied=False),
        types="nginx",
        default_type="text/plain",
        symlinks=files.Follow(),
        etag=True,
        if_modified_since=files.IfModifiedSince.EXACT,
        max_ranges=None,
        redirect=ABSOLUTE,
    )


def combined_log() -> log.AccessLog:
    """`access_log logs/access.log combined`."""
    line = text(
        Variable.CLIENT_IP, " - ", Variable.REMOTE_USER, " [", Variable.TIME_COMMON, '] "', Variable.REQUEST_LINE,
        '" ', Variable.STATUS, " ", Variable.RESPONSE_BODY_BYTES, ' "', template.Header("referer"),
        '" "', template.Header("user-agent"), '"',
    )  # fmt: skip
    return log.AccessLog(
        sink=log.File(path="logs/access.log", mode=0o644),
        format=log.Text(line=line, escape=log.Escape.DEFAULT),
        queue_lines=10_000,
        when=None,
        filter=log.LogFilter(statuses=(), min_duration_ms=0, retried=False),
    )


def locations(
    *,
    exact: Mapping[str, str] | None = None,
    prefixes: tuple[table.Prefix, ...] = (),
    regexes: tuple[table.Regex, ...] = (),
    named: Mapping[str, str] | None = None,
    otherwise: str | None = None,
) -> table.Locations:
    """One level of locations; `exact` and `named` give a route's id for a path or name."""
    return table.Locations(
        exact=tuple(table.Exact(path=path, route=to) for path, to in (exact or {}).items()),
        prefixes=prefixes,
        regexes=regexes,
        named=tuple(table.Named(name=name, route=to) for name, to in (named or {}).items()),
        otherwise=otherwise,
    )


def prefix(path: str, to: str, *, stop: bool = False, children: table.Locations | None = None) -> table.Prefix:
    """`location PATH`; the answer to a request without its last slash is an exact location of its own."""
    return table.Prefix(path=path, stop=stop, route=to, redirect_without_slash=False, children=children)


class Source:
    """The text a Plan is lowered from; gives origins, routes, hosts and services their places in it."""

    def __init__(self, file: str) -> None:
        """Read `tests/golden/plan/FILE`."""
        self.file = file
        self.lines = (SOURCES / file).read_text(encoding="utf-8").splitlines()

    def origin(self, name: str, begins: str, *, after: int = 0) -> Origin:
        """Where the first line after `after` that begins with this stands."""
        for number, line in enumerate(self.lines, start=1):
            if number > after and line.strip().startswith(begins):
                return Origin(name=name, file=self.file, line=number)
        raise LookupError(f"{self.file} has no line {begins!r}")

    def location(
        self, path: str, action: route.Action, *, filters: tuple[str, ...] = (), internal: bool = False
    ) -> route.Route:
        """The route of `location PATH` (or of another directive, given in full)."""
        begins = path if path.startswith(("if", "server")) else f"location {path}"
        return route.Route(
            origin=self.origin(begins, begins),
            internal=internal,
            filters=filters,
            action=action,
            faults="nginx",
            logs=("access",),
            body_bytes=None,
        )

    def slash(self, path: str, written: str = "") -> route.Route:
        """What nginx answers where only the last slash of the location is missing."""
        target = (*ABSOLUTE, Literal(path), Variable.QUERY_MARK, Variable.QUERY)
        return self.location(written or path, answer(301, location=target))

    def server(
        self,
        name: str = "",
        *,
        to: str = "main",
        filters: tuple[str, ...] = (),
        certificates: tuple[str, ...] = (),
        after: int = 0,
    ) -> listener.Host:
        """One `server` block."""
        return listener.Host(
            origin=self.origin(f"server {name}".strip(), "server {", after=after),
            server_name=name,
            http="nginx",
            tls_options=None,
            certificates=certificates,
            filters=filters,
            table=to,
            faults="nginx",
            logs=("access",),
        )

    def upstream(
        self, name: str, *endpoints: service.Endpoint, strategy: service.Strategy | None = None
    ) -> service.Service:
        """One `upstream` block."""
        return service.Service(
            origin=self.origin(f"upstream {name}", f"upstream {name}"),
            kind=service.Balanced(
                strategy=strategy or service.RoundRobin(),
                endpoints=endpoints,
                generation=1,
                transport="nginx",
                rest=rest(),
                retry=retry(),
            ),
        )

    def listen(
        self,
        port: int = 8080,
        *,
        hosts: listener.Hosts | None = None,
        tls: listener.ListenerTls | None = None,
        protocols: tuple[listener.Protocol, ...] = (listener.Protocol.HTTP1,),
    ) -> listener.Listener:
        """One `listen PORT`; with one server names are not tested."""
        return listener.Listener(
            origin=self.origin(f"*:{port}", f"listen {port}"),
            bind=listener.Tcp(host="0.0.0.0", port=port),
            backlog=511,
            max_connections=0,
            proxy_protocol=None,
            tls=tls,
            protocols=protocols,
            http="nginx",
            hosts=hosts or listener.Hosts(names=(), default="server"),
            closing=listener.Closing(accept_grace_ms=0, grace_ms=0),
        )


def whole(
    *,
    listeners: Mapping[str, listener.Listener],
    hosts: Mapping[str, listener.Host],
    tables: Mapping[str, table.Table],
    routes: Mapping[str, route.Route],
    services: Mapping[str, service.Service],
    filters: Mapping[str, filter.Filter] | None = None,
    transports: Mapping[str, service.Transport] | None = None,
    lookups: Mapping[str, template.Lookup] | None = None,
    slots: tuple[str, ...] = (),
) -> Plan:
    """The Plan of an nginx file without TLS."""
    return Plan(
        version=VERSION,
        lifetimes=Lifetimes(removed_route_ms=10_000, snapshot_ms=86_400_000),
        listeners=listeners,
        hosts=hosts,
        http={"nginx": policy()},
        certificates={},
        tls_options={},
        tables=tables,
        routes=routes,
        filters=filters or {},
        services=services,
        transports={"nginx": transport(), **(transports or {})},
        faults={"nginx": faults()},
        mime_types={"nginx": {"html": "text/html", "gif": "image/gif", "jpg": "image/jpeg"}},
        lookups=lookups or {},
        logs={"access": combined_log()},
        slots=slots,
    )
