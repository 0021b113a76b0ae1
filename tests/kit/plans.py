"""Short ways to a whole Plan (as JSON), with Traefik's values where a test does not say otherwise.

A Plan has no defaults, so every field stands here once; a test names only what it is about. `plan()` is one listener,
one host, rules in order; `service()` and `endpoint()` fill `services`; `replaced()` changes single fields by path.
Plain dicts on purpose: what the engine reads is JSON, and a test of a refused Plan must be able to write a wrong one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

FORWARDED = [
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
    "x-real-ip",
]
"""What Traefik removes when the peer is not trusted (COMPAT.md, Forwarded headers)."""

MEBIBYTE = 1 << 20


def origin(name: str) -> Json:
    return {"name": name, "file": "", "line": 0}


def text(value: str) -> list[Json]:
    """A template of one literal; empty for an empty text."""
    return [{"literal": value}] if value else []


def variable(name: str) -> list[Json]:
    return [{"variable": name}]


def endpoint(address: str, **fields: Any) -> Json:
    url = address if address.startswith("unix:") else f"http://{address}"
    return {
        "address": address,
        "scheme": "http",
        "ordinal": 0,
        "weight": 1,
        "max_connections": 0,
        "backup": False,
        "down": False,
        "url": url,
        "rest": None,
        **fields,
    }


def service(*endpoints: str | Json, strategy: Any = "round_robin", **fields: Any) -> Json:
    """A balanced service; `rest` and `retry` may be given in part."""
    whole = [endpoint(e) if isinstance(e, str) else e for e in endpoints]
    rest = {
        "failures": 1,
        "window_ms": 10_000,
        "rest_ms": 10_000,
        "spare_single": True,
        "early_ms": 1_000,
        **fields.pop("rest", {}),
    }
    retry = {
        "on": ["unsent"],
        "tries": 0,
        "timeout_ms": 0,
        "non_idempotent": False,
        "resend_on_stale": True,
        **fields.pop("retry", {}),
    }
    balanced = {"strategy": strategy, "endpoints": whole, "generation": 1, "transport": "transport", **fields}
    return {"origin": origin("app@test"), "kind": {"balanced": {**balanced, "rest": rest, "retry": retry}}}


def transport(**fields: Any) -> Json:
    """How the engine talks upstream; `pool` and `limits` may be given in part."""
    pool = {
        "max_idle": 200,
        "idle_ms": 90_000,
        "unsafe_idle_ms": 3_000,
        "max_requests": 0,
        "max_age_ms": 0,
        **fields.pop("pool", {}),
    }
    limits = {
        "head_bytes": MEBIBYTE,
        "fields": 1_000,
        "chunk_line_bytes": 4_096,
        "bare_lf": False,
        **fields.pop("limits", {}),
    }
    return {
        "protocol": "http11",
        "connect_ms": 30_000,
        "response_head_ms": 0,
        "read_idle_ms": 0,
        "write_idle_ms": 0,
        "pool": pool,
        "limits": limits,
        "resolve_ms": 30_000,
        "tls": None,
        **fields,
    }


def policy(**fields: Any) -> Json:
    """How clients are read and judged; every group may be given in part."""
    groups: Json = {
        "limits": {
            "head_bytes": MEBIBYTE,
            "target_bytes": MEBIBYTE // 2,
            "field_bytes": MEBIBYTE // 2,
            "fields": 1_000,
            "body_bytes": 0,
            "chunk_line_bytes": 4_096,
        },
        "tolerate": {"bare_lf": False, "underscores": "keep", "odd_names": "keep", "empty_host": True},
        "path": {
            "form": "encoded",
            "merge_slashes": True,
            "resolve_dots": True,
            "refuse_above_root": False,
            "refuse_fragment": True,
            "query_semicolons": "ampersand",
        },
        "forwarded": {
            "trust_all": False,
            "trusted": [],
            "strip": FORWARDED,
            "add": {"server": "gate.test", "append_for": True, "websocket_proto": True},
            "keep_listed": FORWARDED,
        },
        "timeouts": {
            "head_ms": 60_000,
            "body_idle_ms": 60_000,
            "body_min_rate": 0,
            "write_idle_ms": 0,
            "keepalive_ms": 180_000,
        },
        "keepalive": {"max_requests": 0, "max_age_ms": 0},
        "http2": {
            "max_concurrent_streams": 250,
            "max_header_list_bytes": MEBIBYTE,
            "initial_stream_window": 65_535,
            "initial_connection_window": MEBIBYTE,
        },
    }
    for name, change in fields.items():
        groups[name] = {**groups[name], **change}
    return groups


def answer(status: int, body: str = "", **fields: Any) -> Json:
    headers = [
        {"name": "Content-Type", "value": text("text/plain; charset=utf-8")},
        {"name": "X-Content-Type-Options", "value": text("nosniff")},
    ]
    return {"status": status, "log_status": status, "headers": headers, "body": text(body), "close": False, **fields}


def faults() -> Json:
    """Traefik's answers (COMPAT.md, Errors); what cannot be read on ends the connection."""
    return {
        "plain_on_tls": answer(400, "Client sent an HTTP request to an HTTPS server.", close=True),
        "bad_request": answer(400, "Bad Request", close=True),
        "target_too_long": answer(414, "URI Too Long", close=True),
        "head_too_large": answer(431, "Request Header Fields Too Large", close=True),
        "head_timeout": answer(408, "Request Timeout", close=True),
        "body_timeout": answer(408, "Request Timeout", close=True),
        "body_too_large": answer(413, "Request Entity Too Large", close=True),
        "expectation_failed": answer(417, "Expectation Failed"),
        "not_implemented": answer(501, "Not Implemented", close=True),
        "version_not_supported": answer(505, "HTTP Version Not Supported", close=True),
        "misdirected": answer(421, "Misdirected Request"),
        "no_route": answer(404, "404 page not found\n"),
        "not_found": answer(404, "404 page not found\n"),
        "directory_redirect": answer(301),
        "method_not_allowed": answer(405, "Method Not Allowed\n"),
        "precondition_failed": answer(412, "Precondition Failed\n"),
        "range_not_satisfiable": answer(416, "Requested Range Not Satisfiable\n"),
        "forbidden": answer(403, "Forbidden"),
        "unauthorized": answer(401, "Unauthorized"),
        "no_endpoint": answer(503, "no available server"),
        "connect_failed": answer(502, "Bad Gateway"),
        "connect_timeout": answer(504, "Gateway Timeout"),
        "upstream_closed": answer(502, "Bad Gateway"),
        "upstream_invalid": answer(502, "Bad Gateway"),
        "response_timeout": answer(504, "Gateway Timeout"),
        "client_gone": answer(499, "Client Closed Request", close=True),
        "too_many_jumps": answer(500, "Internal Server Error"),
        "internal": answer(500, "Internal Server Error"),
    }


def listener(*, host: str = "127.0.0.1", port: int = 0, unix: str | None = None, **fields: Any) -> Json:
    bind: Json = {"unix": {"path": unix, "mode": 0o600}} if unix else {"tcp": {"host": host, "port": port}}
    return {
        "origin": origin("web"),
        "bind": bind,
        "backlog": 512,
        "max_connections": 0,
        "proxy_protocol": None,
        "tls": None,
        "protocols": ["http1"],
        "http": "policy",
        "hosts": {"names": [], "default": "host"},
        "closing": {"accept_grace_ms": 0, "grace_ms": 10_000},
        **fields,
    }


def tls(*certificates: str, default: str | None = None, options: str = "options", plain: str = "serve") -> Json:
    """TLS of a listener."""
    return {"options": options, "certificates": list(certificates), "default_certificate": default, "plain": plain}


def tls_options(**fields: Any) -> Json:
    return {
        "min_version": "1.2",
        "max_version": "1.3",
        "cipher_suites": [],
        "groups": [],
        "alpn": ["http/1.1"],
        "sni_strict": False,
        "reject": False,
        "session_tickets": True,
        "client_auth": None,
        **fields,
    }


def upstream_tls(**fields: Any) -> Json:
    """TLS of a transport: verified by the secret `roots`."""
    return {
        "verify": True,
        "send_name": True,
        "server_name": None,
        "roots": ["roots"],
        "certificate": None,
        **fields,
    }


def proxy(service_id: str = "app", **fields: Any) -> Json:
    return {
        "proxy": {
            "service": service_id,
            "target": "current",
            "host": None,
            "request_body": "stream",
            "response_body": "stream",
            "upgrade": True,
            "hide": [],
            "accel": False,
            "intercept_errors": False,
            "rewrite_location": [],
            "method": None,
            "flush_ms": 100,
            "pass_headers": True,
            "pass_body": True,
            "trailers": True,
            "informational": True,
            "transport": None,
            "retry": None,
            **fields,
        }
    }


def files(root: str, **fields: Any) -> Json:
    """Files under `root` as nginx serves them, each index by this route; `precompressed` may be given in part."""
    precompressed = {
        "codings": [],
        "always": False,
        "vary": False,
        "http10": False,
        "proxied": False,
        **fields.pop("precompressed", {}),
    }
    return {
        "root": text(root),
        "alias": "off",
        "index": [text("index.html")],
        "index_table": None,
        "listing": None,
        "fallback": None,
        "precompressed": precompressed,
        "types": "types",
        "default_type": "text/plain",
        "symlinks": "follow",
        "etag": True,
        "if_modified_since": "exact",
        "max_ranges": None,
        "redirect": [],
        **fields,
    }


def route(action: Json | str, *, filters: Iterable[str] = (), logs: Iterable[str] = (), name: str = "app@test") -> Json:
    return {
        "origin": origin(name),
        "internal": False,
        "filters": list(filters),
        "action": action,
        "faults": "faults",
        "logs": list(logs),
        "body_bytes": None,
    }


def access_log(sink: Any, fields: Iterable[tuple[str, str, str]], *, queue_lines: int = 10_000) -> Json:
    """JSON lines; a field is (name, variable, kind)."""
    named = [{"name": name, "value": variable(value), "kind": kind} for name, value, kind in fields]
    return {
        "sink": sink,
        "format": {"json": named},
        "queue_lines": queue_lines,
        "when": None,
        "filter": {"statuses": [], "min_duration_ms": 0, "retried": False},
    }


def plan(*endpoints: str | Json, http: Json | None = None, **fields: Any) -> Json:
    """One listener `web` on a free port; every request goes to the service `app` with these endpoints.

    `listeners`, `services`, `routes`, `filters`, `tables`, `lookups`, `slots`, `logs`, `rules` replace or add; `upstream` and `balance`
    change single fields of the one transport and the one service. `names` are the certificates, each with its names.
    """
    app = service(*endpoints, **fields.pop("balance", {}))
    logs = fields.pop("logs", {})
    rules = fields.pop("rules", [{"match": "always", "route": "app"}])
    whole: Json = {
        "version": 1,
        "lifetimes": {"removed_route_ms": 10_000, "snapshot_ms": 3_600_000},
        "listeners": fields.pop("listeners", {"web": listener()}),
        "hosts": {
            "host": {
                "origin": origin("host"),
                "server_name": "",
                "http": "policy",
                "tls_options": None,
                "certificates": [],
                "filters": fields.pop("host_filters", []),
                "table": "table",
                "faults": "faults",
                "logs": list(logs),
            }
        },
        "http": {"policy": http or policy()},
        "certificates": {
            name: {"origin": origin(name), "names": list(names)} for name, names in fields.pop("names", {}).items()
        },
        "tls_options": fields.pop("tls_options", {}),
        "tables": {"table": {"first": rules}, **fields.pop("tables", {})},
        "routes": {"app": route(proxy(**fields.pop("action", {})), logs=logs), **fields.pop("routes", {})},
        "filters": fields.pop("filters", {}),
        "services": {"app": app, **fields.pop("services", {})},
        "transports": {"transport": transport(**fields.pop("upstream", {}))},
        "faults": {"faults": faults()},
        "mime_types": fields.pop("mime_types", {}),
        "lookups": fields.pop("lookups", {}),
        "logs": logs,
        "slots": fields.pop("slots", []),
    }
    assert not fields, f"unknown: {sorted(fields)}"
    return whole


def nginx_policy() -> Json:
    """Clients as nginx reads and judges them, where it differs."""
    path = {"form": "decoded", "refuse_above_root": True, "refuse_fragment": False, "query_semicolons": "keep"}
    return policy(path=path, forwarded={"strip": [], "add": None, "keep_listed": []})


def pattern(regex: str, slot: int | None = None, *, ignore_case: bool = False) -> Json:
    return {"regex": regex, "dialect": "pcre", "ignore_case": ignore_case, "slot": slot}


def capture(slot: int, group: int = 0) -> list[Json]:
    return [{"capture": {"slot": slot, "group": group}}]


def locations(
    *,
    exact: dict[str, str] | None = None,
    prefixes: dict[str, str] | None = None,
    regexes: Iterable[tuple[Json, str]] = (),
    named: dict[str, str] | None = None,
) -> Json:
    """One level of nginx's locations: paths, patterns and names with their routes."""
    return {
        "locations": {
            "exact": [{"path": path, "route": of} for path, of in (exact or {}).items()],
            "prefixes": [
                {"path": path, "stop": False, "route": of, "redirect_without_slash": False, "children": None}
                for path, of in (prefixes or {}).items()
            ],
            "regexes": [{"pattern": one, "route": of, "children": None} for one, of in regexes],
            "named": [{"name": name, "route": of} for name, of in (named or {}).items()],
            "otherwise": None,
        }
    }


def replaced(whole: Json, path: str, value: Any) -> Json:
    """A copy in which the field at this dotted path is another."""
    changed = copy.deepcopy(whole)
    place: Any = changed
    *way, last = path.split(".")
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value
    return changed
