"""`proxy_ssl_…`: TLS towards upstreams.

Facts (nginx): nothing is verified unless `proxy_ssl_verify` is on, no name is sent unless `proxy_ssl_server_name` is;
the name is `$proxy_host` without its port. Decision: versions and suites are the library's.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemun.nginx.certificates import Certificates
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.passing import Passed
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain, flag
from daemun.nginx.variables import template
from daemun.plan.service import UpstreamTls


@dataclass(slots=True, kw_only=True)
class UpstreamTlsMaker:
    """Makes the TLS of levels that pass requests on to https."""

    making: Making
    certificates: Certificates

    def of(self, level: Level, passed: Passed, scene: Scene) -> UpstreamTls:
        """Return how a level speaks TLS to this URL."""
        verify = flag(level, "proxy_ssl_verify", self.making, default=False)
        trusted = level.last("proxy_ssl_trusted_certificate")
        if verify and trusted is None and (said := level.last("proxy_ssl_verify")) is not None:
            message = "no proxy_ssl_trusted_certificate for proxy_ssl_verify"
            remedy = "add proxy_ssl_trusted_certificate FILE;"
            complain(self.making, said, message, kind="missing", remedy=remedy)
        chain, key = level.last("proxy_ssl_certificate"), level.last("proxy_ssl_certificate_key")
        if chain is not None and key is None:
            message = 'no "proxy_ssl_certificate_key" is defined for certificate'
            complain(self.making, chain, f'{message} "{chain.args[0]}"', argument=0, kind="missing")
        named = level.last("proxy_ssl_name")
        if named is not None and named.args:
            name = template(named.args[0], self.making, named.places[0], captures=scene.captures)
        else:
            name = template(passed.named, self.making, None, captures=scene.captures)
        return UpstreamTls(
            verify=verify,
            send_name=flag(level, "proxy_ssl_server_name", self.making, default=False),
            server_name=name,
            roots=(self.certificates.roots_of(trusted),) if trusted is not None else (),
            certificate=self.certificates.pair(chain, key) if chain is not None and key is not None else None,
        )
