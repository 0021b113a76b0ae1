"""`ssl_protocols`, `ssl_ciphers` and the like: the terms of a handshake with clients.

Facts (nginx 1.31): TLS 1.2 and 1.3, OpenSSL's suites, tickets on, no certificates of clients; `ssl_reject_handshake`.
Decisions: the library has TLS 1.2 at least and nine suites; what OpenSSL calls them is translated, words such as `HIGH`
or `!MD5` leave the library's own choice; older versions are left out with a warning, alone they are an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.values import complain, flag
from daemun.plan.scalars import Id
from daemun.plan.tls import TlsOptions, TlsVersion

NAMES = frozenset(
    [
        "ssl_protocols",
        "ssl_ciphers",
        "ssl_ecdh_curve",
        "ssl_session_tickets",
        "ssl_reject_handshake",
        "ssl_verify_client",
        "http2",
    ]
)
ACME_TLS = "acme-tls/1"
_VERSIONS = {"TLSv1.2": TlsVersion.V12, "TLSv1.3": TlsVersion.V13}
_OLD = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
# OpenSSL's names of the suites of TLS 1.2 that the library has.
_SUITES = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
_SUITES_13 = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
_GROUPS = {
    "x25519": "x25519",
    "x25519mlkem768": "X25519MLKEM768",
    "prime256v1": "secp256r1",
    "secp256r1": "secp256r1",
    "p-256": "secp256r1",
    "secp384r1": "secp384r1",
    "p-384": "secp384r1",
}


@dataclass(slots=True, kw_only=True)
class TlsTerms:
    """The options made so far, each distinct one once. `challenges` lets TLS-ALPN-01 be answered."""

    making: Making
    challenges: bool = False
    made: dict[Id, TlsOptions] = field(default_factory=dict)
    _ids: dict[TlsOptions, Id] = field(default_factory=dict)
    _known: dict[tuple[Level, bool], Id] = field(default_factory=dict)

    def of(self, server: Level, *, http2: bool) -> Id:
        """Return the id of a server's options; `http2` when it is spoken on its address."""
        key = (server.owner(NAMES), http2)
        known = self._known.get(key)
        if known is None:
            options = self._options(key[0], http2=http2)
            known = self._ids.get(options)
            if known is None:
                known = self._ids[options] = f"nginx {len(self._ids) + 1}" if self._ids else "nginx"
                self.made[known] = options
            self._known[key] = known
        return known

    def _options(self, server: Level, *, http2: bool) -> TlsOptions:
        least, most = self._versions(server)
        verify = server.last("ssl_verify_client")
        if verify is not None and verify.args and verify.args[0] != "off":
            message = "not yet: certificates of clients come later"
            remedy = "leave ssl_verify_client out, or ask the application to authenticate"
            complain(self.making, verify, message, argument=0, kind="not_yet", remedy=remedy)
        alpn = ("h2", "http/1.1") if http2 else ("http/1.1",)
        return TlsOptions(
            min_version=least,
            max_version=most,
            cipher_suites=self._suites(server, most),
            groups=self._groups(server),
            alpn=(*alpn, ACME_TLS) if self.challenges else alpn,
            sni_strict=False,
            reject=flag(server, "ssl_reject_handshake", self.making, default=False),
            session_tickets=flag(server, "ssl_session_tickets", self.making, default=True),
            client_auth=None,
        )

    def _versions(self, server: Level) -> tuple[TlsVersion, TlsVersion]:
        said = server.last("ssl_protocols")
        if said is None:
            return TlsVersion.V12, TlsVersion.V13
        found: list[TlsVersion] = []
        for index, name in enumerate(said.args):
            if name in _VERSIONS:
                found.append(_VERSIONS[name])
            elif name in _OLD:
                message = f"{name} is not there: TLS begins with 1.2 here"
                complain(self.making, said, message, argument=index, severity="warning")
            else:
                complain(self.making, said, f'invalid value "{name}"', argument=index, remedy="TLSv1.2 TLSv1.3")
        if not found:
            if not self._wrong(said):
                complain(self.making, said, "nothing is left of ssl_protocols", remedy="ssl_protocols TLSv1.2 TLSv1.3;")
            return TlsVersion.V12, TlsVersion.V13
        return min(found), max(found)

    def _wrong(self, said: Directive) -> bool:
        return any(name not in _VERSIONS and name not in _OLD for name in said.args)

    def _suites(self, server: Level, most: TlsVersion) -> tuple[str, ...]:
        said = server.last("ssl_ciphers")
        words = said.args[0].replace(",", ":").replace(" ", ":").split(":") if said is not None and said.args else []
        names = [word for word in words if "-" in word and word[:1] not in "!-+@"]
        if said is None or not names or len(names) < sum(word[:1] not in "!-+@" for word in words if word):
            return ()  # a keyword such as HIGH stands there: the library's own choice is what it means
        suites = [_SUITES[name] for name in names if name in _SUITES]
        if not suites:
            complain(self.making, said, "nothing is left of ssl_ciphers: none of these is there", argument=0)
        return (*(_SUITES_13 if most is TlsVersion.V13 else ()), *suites)

    def _groups(self, server: Level) -> tuple[str, ...]:
        said = server.last("ssl_ecdh_curve")
        if said is None or not said.args or said.args[0] == "auto":
            return ()
        found = [_GROUPS[name.lower()] for name in said.args[0].split(":") if name.lower() in _GROUPS]
        if not found:
            complain(self.making, said, "nothing is left of ssl_ecdh_curve: none of these is there", argument=0)
        return tuple(dict.fromkeys(found))
