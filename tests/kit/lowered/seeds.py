"""The user's own nginx files: three servers with least_conn behind TLS, and two behind TLS with nothing else said."""

from __future__ import annotations

from dataclasses import replace

from daemun.plan import filter, listener, script, service, tls  # noqa: A004
from daemun.plan.listener import ListenerTls, PlainOnTls, Protocol
from daemun.plan.plan import Plan
from daemun.plan.template import Literal, Variable
from tests.kit.lowered import nginx
from tests.kit.lowered.nginx import Source, locations, prefix, proxy, text
from tests.kit.lowered.rewriting import set_header

SECURE = (Literal("https://"), Variable.HOST_OR_ADDRESS)
CHAIN = "/etc/letsencrypt/live/yourdomain.com/fullchain.pem"


def options(*alpn: str) -> tls.TlsOptions:
    """The terms of a handshake; suites and groups are the library's."""
    return tls.TlsOptions(
        min_version=tls.TlsVersion.V12,
        max_version=tls.TlsVersion.V13,
        cipher_suites=(),
        groups=(),
        alpn=alpn,
        sni_strict=False,
        reject=False,
        session_tickets=True,
        client_auth=None,
    )


def nginx_basic() -> Plan:
    """443 with HTTP/2 and a certificate, forwarded fields as written; 80 redirects by the server's own name."""
    at = Source("nginx-basic.conf")
    secure = ListenerTls(options="nginx", certificates=(CHAIN,), default_certificate=CHAIN, plain=PlainOnTls.REFUSE)
    moved = nginx.answer(301, location=text("https://", Variable.SERVER_NAME, Variable.REQUEST_URI))
    forwarded = (
        set_header("X-Real-IP", (Variable.CLIENT_IP,)),
        set_header("X-Forwarded-For", (Variable.PROXY_ADD_FORWARDED_FOR,)),
        set_header("X-Forwarded-Proto", (Variable.SCHEME,)),
    )
    second = at.origin("80", "listen 80").line - 2
    plan = nginx.whole(
        listeners={
            "*:443": at.listen(
                443,
                hosts=listener.Hosts(names=(), default="yourdomain.com:443"),
                tls=secure,
                protocols=(Protocol.HTTP1, Protocol.HTTP2),
            ),
            "*:80": at.listen(80, hosts=listener.Hosts(names=(), default="yourdomain.com:80")),
        },
        hosts={
            "yourdomain.com:443": at.server("yourdomain.com", certificates=(CHAIN,)),
            "yourdomain.com:80": at.server(
                "yourdomain.com", to="none", filters=("yourdomain.com:80 script",), after=second
            ),
        },
        tables={"main": locations(prefixes=(prefix("/", "/"),)), "none": locations()},
        routes={"/": at.location("/", proxy("backend", base=SECURE), filters=("/ headers",))},
        filters={
            "/ headers": filter.RequestHeaders(forwarded),
            "yourdomain.com:80 script": filter.Script((script.Return(moved),)),
        },
        services={
            "backend": at.upstream(
                "backend",
                *(nginx.endpoint(f"app{number}:8000") for number in (1, 2, 3)),
                strategy=service.LeastConnections(),
            )
        },
    )
    certificate = tls.Certificate(origin=at.origin(CHAIN, "ssl_certificate"), names=("yourdomain.com",))
    return replace(plan, certificates={CHAIN: certificate}, tls_options={"nginx": options("h2", "http/1.1")})


def nginx_light() -> Plan:
    """No certificate is named: nginx refuses such a file, here handshakes fail until a resolver brings one."""
    at = Source("nginx-light.conf")
    secure = ListenerTls(options="nginx", certificates=(), default_certificate=None, plain=PlainOnTls.REFUSE)
    plan = nginx.whole(
        listeners={"*:443": at.listen(443, tls=secure)},
        hosts={"server": at.server()},
        tables={"main": locations(prefixes=(prefix("/", "/"),))},
        routes={"/": at.location("/", proxy("fastapi", base=SECURE))},
        services={
            "fastapi": at.upstream("fastapi", nginx.endpoint("app1:8000"), nginx.endpoint("app2:8000")),
        },
    )
    return replace(plan, tls_options={"nginx": options("http/1.1")})
