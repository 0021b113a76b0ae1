"""Cases with sub-requests: auth_request beside an address list with `satisfy any`, and mirror."""

from __future__ import annotations

from dataclasses import replace

from daemun.plan import filter, route  # noqa: A004
from daemun.plan.plan import Plan
from daemun.plan.template import Capture, UpstreamHeader, Variable
from tests.kit.lowered import nginx
from tests.kit.lowered.nginx import ABSOLUTE, Source, locations, prefix, proxy, text
from tests.kit.lowered.rewriting import set_header


def auth_request() -> Plan:
    """Either the address or the sub-request admits; its answer names the user."""
    at = Source("auth-request.conf")
    access = filter.Access(
        satisfy=filter.Satisfy.ANY,
        gates=(
            filter.Address(
                (
                    filter.AddressRule(allow=True, network="10.0.0.0/8"),
                    filter.AddressRule(allow=False, network="all"),
                )
            ),
            filter.Subrequest(
                to=route.Uri(table="main", uri=text("/auth")),
                set=(filter.SlotValue(slot=0, value=(UpstreamHeader("x-user"),)),),
            ),
        ),
    )
    check = replace(
        proxy("auth"),
        target=route.ReplacePrefix(prefix="/auth", with_="/check"),
        pass_body=False,
        rewrite_location=(
            route.LocationRewrite(from_=text("http://auth/check"), pattern=None, base=ABSOLUTE, to=text("/auth")),
        ),
    )
    user = set_header("X-User", (Capture(slot=0, group=0),))
    uri = set_header("X-Original-URI", (Variable.REQUEST_URI,))
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server()},
        tables={
            "main": locations(
                exact={"/private": "/private", "/auth": "/auth"},
                prefixes=(prefix("/private/", "/private/"),),
                otherwise="root",
            )
        },
        routes={
            "/private": at.slash("/private/"),
            "/private/": at.location("/private/", proxy("app"), filters=("/private/ access", "/private/ headers")),
            "/auth": at.location("= /auth", check, filters=("/auth headers",), internal=True),
            "root": at.location("server", nginx.files_of("html")),
        },
        filters={
            "/private/ access": access,
            "/private/ headers": filter.RequestHeaders((user,)),
            "/auth headers": filter.RequestHeaders((filter.Remove("Content-Length"), uri)),
        },
        services={
            "app": at.upstream("app", nginx.endpoint("127.0.0.1:8001")),
            "auth": at.upstream("auth", nginx.endpoint("127.0.0.1:8002")),
        },
        slots=("user",),
    )


def mirror() -> Plan:
    """A copy with its body goes to the shadow under the target the client sent; variables switch proxy_redirect off."""
    at = Source("mirror.conf")
    shadow = replace(proxy("shadow"), target=route.TargetTemplate((Variable.REQUEST_URI,)), rewrite_location=())
    copy = filter.Mirror(to=route.Uri(table="main", uri=text("/mirror")), body=True)
    return nginx.whole(
        listeners={"*:8080": at.listen()},
        hosts={"server": at.server()},
        tables={"main": locations(exact={"/mirror": "/mirror"}, prefixes=(prefix("/", "/"),))},
        routes={
            "/": at.location("/", proxy("app"), filters=("/ mirror",)),
            "/mirror": at.location("= /mirror", shadow, internal=True),
        },
        filters={"/ mirror": copy},
        services={
            "app": at.upstream("app", nginx.endpoint("127.0.0.1:8001")),
            "shadow": at.upstream("shadow", nginx.endpoint("127.0.0.1:8002")),
        },
    )
