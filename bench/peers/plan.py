"""Plans for the benchmark, in JSON as the engine reads it: what the Traefik language would lower to.

The types stand in engine/crates/plan. Values are Traefik's defaults (its transport, its forwarded headers
from an untrusted peer) except where every peer is given the same: idle times and pool sizes.
"""

from collections.abc import Sequence

from bench.peers.running import CLIENT_IDLE, Address

Json = dict[str, object]
Rule = tuple[str, object]
"""The router's name and its condition (`matching::Match`)."""

ALWAYS: object = "always"

FORWARDED = ("proto", "for", "host", "port", "server", "uri", "method", "prefix", "tls-client-cert")
FAULTS = {
    "bad_request": 400,
    "target_too_long": 414,
    "head_too_large": 431,
    "head_timeout": 408,
    "body_timeout": 408,
    "body_too_large": 413,
    "expectation_failed": 417,
    "not_implemented": 501,
    "version_not_supported": 505,
    "misdirected": 421,
    "no_route": 404,
    "forbidden": 403,
    "unauthorized": 401,
    "no_endpoint": 503,
    "connect_failed": 502,
    "connect_timeout": 504,
    "upstream_closed": 502,
    "upstream_invalid": 502,
    "response_timeout": 504,
    "client_gone": 499,
    "too_many_jumps": 500,
    "internal": 500,
}


def single(origin: Address) -> Json:
    """One router that takes everything."""
    return plan([origin], [("all", ALWAYS)])


def plan(endpoints: Sequence[Address], rules: Sequence[Rule]) -> Json:
    """One listener, one service, and a route for every rule, in this order."""
    return {
        "version": 1,
        "lifetimes": {"removed_route_ms": 10_000, "snapshot_ms": 60_000},
        "listeners": {"web": _listener()},
        "hosts": {"web": _host()},
        "http": {"web": _policy()},
        "certificates": {},
        "tls_options": {},
        "tables": {"web": {"first": [{"match": match, "route": name} for name, match in rules]}},
        "routes": {name: _route(name) for name, _ in rules},
        "filters": {},
        "services": {"app": _service(endpoints)},
        "transports": {"default": _transport()},
        "faults": {"default": {kind: _fault(status) for kind, status in FAULTS.items()}},
        "lookups": {},
        "logs": {},
        "slots": [],
    }


def _origin(name: str) -> Json:
    return {"name": name, "file": "bench", "line": 0}


def _listener() -> Json:
    return {
        "origin": _origin("web"),
        "bind": {"tcp": {"host": "127.0.0.1", "port": 0}},
        "backlog": 4096,
        "max_connections": 0,
        "proxy_protocol": None,
        "tls": None,
        "protocols": ["http1"],
        "http": "web",
        "hosts": {"names": [], "default": "web"},
        "closing": {"accept_grace_ms": 0, "grace_ms": 1000},
    }


def _host() -> Json:
    return {
        "origin": _origin("web"),
        "server_name": "",
        "http": "web",
        "tls_options": None,
        "filters": [],
        "table": "web",
        "faults": "default",
        "logs": [],
    }


def _policy() -> Json:
    return {
        "limits": {
            "head_bytes": 65_536,
            "target_bytes": 32_768,
            "field_bytes": 32_768,
            "fields": 100,
            "body_bytes": 0,
            "chunk_line_bytes": 4096,
        },
        "tolerate": {"bare_lf": False, "underscores": "keep"},
        "path": {
            "form": "encoded",
            "merge_slashes": False,
            "resolve_dots": True,
            "refuse_above_root": False,
            "refuse_fragment": True,
            "query_semicolons": "ampersand",
        },
        "forwarded": {
            "trust_all": False,
            "trusted": [],
            "strip": [*(f"x-forwarded-{name}" for name in FORWARDED), "x-real-ip"],
            "add": {"server": "bench", "append_for": True, "websocket_proto": True},
            "keep_listed": [],
        },
        "timeouts": {
            "head_ms": 60_000,
            "body_idle_ms": 60_000,
            "body_min_rate": 0,
            "write_idle_ms": 60_000,
            "keepalive_ms": CLIENT_IDLE * 1000,
        },
        "keepalive": {"max_requests": 0, "max_age_ms": 0},
        "http2": {
            "max_concurrent_streams": 250,
            "max_header_list_bytes": 65_536,
            "initial_stream_window": 65_535,
            "initial_connection_window": 65_535,
        },
    }


def _route(name: str) -> Json:
    proxy: Json = {
        "service": "app",
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
    }
    return {
        "origin": _origin(name),
        "internal": False,
        "filters": [],
        "action": {"proxy": proxy},
        "faults": "default",
        "logs": [],
        "body_bytes": None,
    }


def _service(endpoints: Sequence[Address]) -> Json:
    balanced = {
        "strategy": "round_robin",
        "endpoints": [
            {
                "address": f"{host}:{port}",
                "scheme": "http",
                "ordinal": 0,
                "weight": 1,
                "max_connections": 0,
                "backup": False,
                "down": False,
                "url": f"http://{host}:{port}",
            }
            for host, port in endpoints
        ],
        "generation": 1,
        "transport": "default",
        "rest": {"failures": 1, "window_ms": 10_000, "rest_ms": 10_000, "spare_single": True},
        "retry": {
            "on": ["unsent"],
            "tries": 0,
            "timeout_ms": 0,
            "non_idempotent": False,
            "resend_on_stale": True,
        },
    }
    return {"origin": _origin("app"), "kind": {"balanced": balanced}}


def _transport() -> Json:
    return {
        "protocol": "http11",
        "connect_ms": 5000,
        "response_head_ms": 0,
        "read_idle_ms": 0,
        "write_idle_ms": 0,
        "pool": {
            "max_idle": 256,
            "idle_ms": CLIENT_IDLE * 1000,
            "unsafe_idle_ms": 3000,
            "max_requests": 0,
            "max_age_ms": 0,
        },
        "limits": {"head_bytes": 65_536, "fields": 100, "chunk_line_bytes": 4096, "bare_lf": False},
        "resolve_ms": 30_000,
        "tls": None,
    }


def _fault(status: int) -> Json:
    body = [{"literal": f"{status}\n"}]
    return {"status": status, "log_status": status, "headers": [], "body": body, "close": status < 500}
