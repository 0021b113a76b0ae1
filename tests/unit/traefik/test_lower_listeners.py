"""Entry points to listeners: Traefik's defaults made explicit."""

from __future__ import annotations

import pytest

from daemun.plan import http, listener
from daemun.traefik.lower_listeners import (
    Gate,
    default_gates,
    lower_host,
    lower_listener,
    lower_policy,
    millis,
    open_gates,
)
from daemun.traefik.read import load_static


def gates_of(text: str) -> dict[str, Gate]:
    return open_gates(load_static(text)[0])


def policy_of(text: str) -> http.HttpPolicy:
    static = load_static(f"[entryPoints.web]\naddress = ':80'\n{text}")[0]
    return lower_policy(open_gates(static)["web"], static, hostname="gate")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["http"]),
        ("[ping]", ["http", "traefik"]),
        ("[entryPoints.web]\naddress=':80'", ["web"]),
        ("[entryPoints.web]\naddress=':80'\n[ping]", ["web", "traefik"]),
        ("[entryPoints.web]\naddress=':80'\n[ping]\nentryPoint='web'", ["web"]),
        ("[entryPoints.web]\naddress=':80'\n[entryPoints.dns]\naddress=':53/udp'", ["web"]),
        ("[entryPoints.web]\naddress=':80'\n[entryPoints.s]\naddress=':443'\n[entryPoints.s.http.tls]", ["web", "s"]),
    ],
)
def test_which_are_opened(text: str, names: list[str]) -> None:
    """Those of the file, `http` on :80 when there is none, ping's own; no UDP yet."""
    assert list(gates_of(text)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[entryPoints.b]\naddress=':80'\n[entryPoints.a]\naddress=':81'\n[ping]", ("a", "b")),
        ("[entryPoints.b]\naddress=':80'\nasDefault=true\n[entryPoints.a]\naddress=':81'", ("b",)),
    ],
)
def test_default_entry_points(text: str, names: tuple[str, ...]) -> None:
    """Those with asDefault, else all but `traefik`, sorted."""
    assert default_gates(gates_of(text)) == names


def test_listener() -> None:
    """Address, protocols and the graceful end; the origin leads to the file. Traefik takes h2c without being told."""
    text = "[entryPoints.web]\naddress='[::1]:8080'\ntransport.lifeCycle = { requestAcceptGraceTimeout = 1, graceTimeOut = '2s' }"
    made = lower_listener(gates_of(text)["web"])
    assert made.bind == listener.Tcp(host="::1", port=8080)
    assert made.protocols == (listener.Protocol.HTTP1, listener.Protocol.HTTP2)
    assert made.closing == listener.Closing(accept_grace_ms=1000, grace_ms=2000)
    assert (made.origin.file, made.origin.line) == ("traefik.toml", 1)


def test_host_logs_what_finds_no_route() -> None:
    """The access log also has requests without a route, unless the entry point says no."""
    text = "[entryPoints.web]\naddress=':80'\n"
    assert lower_host(gates_of(text)["web"], logs=("access",)).logs == ("access",)
    quiet = gates_of(text + "observability.accessLogs = false")["web"]
    assert lower_host(quiet, logs=("access",)).logs == ()


def test_policy_defaults() -> None:
    """What an entry point does that says nothing."""
    policy = policy_of("")
    assert policy.limits.head_bytes == 1_048_576
    assert policy.limits.body_bytes == 0
    assert (policy.timeouts.head_ms, policy.timeouts.keepalive_ms, policy.timeouts.write_idle_ms) == (
        60_000,
        180_000,
        0,
    )
    assert policy.path == http.PathPolicy(
        form=http.PathForm.ENCODED,
        merge_slashes=True,
        resolve_dots=True,
        refuse_above_root=False,
        refuse_fragment=True,
        query_semicolons=http.QuerySemicolons.AMPERSAND,
    )
    assert not policy.tolerate.bare_lf
    assert policy.tolerate.underscores is http.Underscores.KEEP
    assert policy.forwarded.add == http.ForwardedAdd(server="gate", append_for=True, websocket_proto=True)
    assert not policy.forwarded.trust_all
    assert {"x-forwarded-for", "x-real-ip", "x-forwarded-tls-client-cert-info"} <= set(policy.forwarded.strip)


def test_http2_streams() -> None:
    """Traefik's 250 streams at once, or what the entry point says."""
    assert policy_of("").http2.max_concurrent_streams == 250
    assert policy_of("http2.maxConcurrentStreams = 7").http2.max_concurrent_streams == 7


def test_policy_options() -> None:
    """Every option of an entry point arrives."""
    policy = policy_of("""
http = { sanitizePath = false, encodeQuerySemicolons = true, maxHeaderBytes = 0, underscoreHeadersStrategy = "delete" }
forwardedHeaders = { insecure = true, trustedIPs = ["10.0.0.0/8"], connection = ["X-Foo"], notAppendXForwardedFor = true }
[entryPoints.web.transport]
keepAliveMaxRequests = 5
keepAliveMaxTime = 1
respondingTimeouts = { readTimeout = 0, writeTimeout = 2, idleTimeout = 3 }
""")
    assert (policy.path.merge_slashes, policy.path.resolve_dots) == (False, False)
    assert policy.path.query_semicolons is http.QuerySemicolons.ENCODE
    assert policy.limits.head_bytes == 1_048_576
    assert policy.tolerate.underscores is http.Underscores.DROP
    assert policy.forwarded.trust_all
    assert policy.forwarded.trusted == ("10.0.0.0/8",)
    assert "x-foo" in policy.forwarded.keep_listed
    assert policy.forwarded.add is not None
    assert not policy.forwarded.add.append_for
    assert policy.keepalive == http.KeepAlive(max_requests=5, max_age_ms=1000)
    assert policy.timeouts == http.ClientTimeouts(
        head_ms=0, body_idle_ms=0, body_min_rate=0, write_idle_ms=2000, keepalive_ms=3000
    )


@pytest.mark.parametrize(("seconds", "number"), [(0, 0), (-1, 0), (0.0001, 1), (1.5, 1500)])
def test_millis(seconds: float, number: int) -> None:
    """A tiny timeout does not become none."""
    assert millis(seconds) == number
