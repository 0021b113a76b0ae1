"""`proxy_ssl_…`: TLS towards upstreams.

Facts (nginx): nothing is verified unless `proxy_ssl_verify` is on, no name is sent unless `proxy_ssl_server_name` is;
the name is `$proxy_host` without its port. Decisions: versions and suites are the library's; a name that a variable gives is the endpoint's
own host, and `proxy_ssl_name` has none.
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
from daemun.plan.template import Template


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
        return UpstreamTls(
            verify=verify,
            send_name=flag(level, "proxy_ssl_server_name", self.making, default=False),
            server_name=self._name(level, passed, scene),
            roots=(self.certificates.roots_of(trusted),) if trusted is not None else (),
            certificate=self.certificates.pair(chain, key) if chain is not None and key is not None else None,
        )

    def _name(self, level: Level, passed: Passed, scene: Scene) -> Template | None:
        """Return the name that is asked for and verified; None for the host that a variable names."""
        said = level.last("proxy_ssl_name")
        if said is None or not said.args or said.args[0] in {"$proxy_host", "${proxy_host}"}:
            return None if "$" in passed.host else passed.template(passed.named, self.making, scene)
        if "$" in said.args[0]:
            remedy = "write the name itself; without proxy_ssl_name it is the host of proxy_pass"
            complain(self.making, said, "the name cannot be a variable", argument=0, kind="not_yet", remedy=remedy)
        return template(said.args[0], self.making, said.places[0], captures=scene.captures)
