"""nginx's variables that are another word for what the engine knows: each through a small table of its own.

The engine says versions, suites and groups of TLS in the words of their registries; nginx says OpenSSL's. Parts of a
field (`$request_port`, `$upstream_cookie_NAME`) are taken out by a pattern. Tables are added when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from daemun.nginx.making import Making
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.template import Capture, Entry, Literal, LookupPart, Map, RegexEntry, Template, UpstreamHeader
from daemun.plan.variable import Variable

# OpenSSL's names of the TLS 1.2 suites there are; those of 1.3 are the registry's.
_SUITES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
_GROUPS = {"secp256r1": "prime256v1"}
_PORT = ":([0-9]+)$"
_UPSTREAM_COOKIE = "upstream_cookie_"

# What is looked up by, what becomes of it, and what of everything else.
_WORDS: Mapping[str, tuple[Template, Mapping[str, str], Template]] = {
    "ssl_protocol": ((Variable.TLS_VERSION,), {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}, ()),
    "ssl_cipher": ((Variable.TLS_CIPHER,), _SUITES, (Variable.TLS_CIPHER,)),
    "ssl_curve": ((Variable.TLS_GROUP,), _GROUPS, (Variable.TLS_GROUP,)),
    "ssl_session_reused": (
        (Variable.TLS_VERSION, Variable.TLS_RESUMED),
        {"1.2": ".", "1.3": ".", "1.21": "r", "1.31": "r"},
        (),
    ),
    "request_completion": ((Variable.FAULT,), {"": "OK"}, ()),
}
NAMES = (*_WORDS, "request_port", "is_request_port")


def tabled(name: str, making: Making) -> Template | None:
    """Return the template of a variable that has a table, which is added; None when it has none."""
    table = f"${name}"
    if name in _WORDS:
        key, words, default = _WORDS[name]
        exact = tuple(
            Entry(key=word.lower(), value=(Literal(meant),) if meant else ()) for word, meant in words.items()
        )
        making.lookups[table] = Map(hostnames=False, exact=exact, regexes=(), default=default, volatile=True)
    elif name == "request_port":
        key = (Variable.HOST_FIELD,)
        making.lookups[table] = _part(_PORT, table, making)
    elif name == "is_request_port":
        key = (Variable.HOST_FIELD,)
        making.lookups[table] = _part(_PORT, "", making)
    elif name.startswith(_UPSTREAM_COOKIE):
        key = (UpstreamHeader("set-cookie"),)
        cookie = re.escape(name.removeprefix(_UPSTREAM_COOKIE))
        # Lines stand joined by `, `: the first one that sets it counts.
        making.lookups[table] = _part(f"(?:^|, ){cookie} *= *([^;]*?)(?: *;|, [^=;, ]+=| *$)", table, making)
    else:
        return None
    return (LookupPart(table=table, key=key),)


def _part(regex: str, slot: str, making: Making) -> Map:
    """Return a table that takes the first group of a pattern; a `:` where there is no slot."""
    place = making.slot(slot) if slot else None
    value: Template = (Literal(":"),) if place is None else (Capture(slot=place, group=1),)
    searched = Pattern(regex=regex, dialect=Dialect.PCRE, ignore_case=True, slot=place)
    return Map(
        hostnames=False,
        exact=(),
        regexes=(RegexEntry(pattern=searched, value=value),),
        default=(),
        volatile=True,
    )
