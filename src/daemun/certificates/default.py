"""The certificate that is shown when no other fits: self-signed, so that no client takes it for anything.

Facts (Traefik v3.7): its own is RSA of 2048 bits, named TRAEFIK DEFAULT CERT, for a year, new at each start. Decision:
ours is P-256. Nobody trusts it; it only lets a handshake end in a certificate error that people know.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from daemun.certificates import making
from daemun.certificates.material import Material, parse

NAME = "DAEMUN DEFAULT CERT"
_DAYS = 365


def default_certificate(*, now: datetime) -> Material:
    """Return a new one."""
    from cryptography.hazmat.primitives import hashes

    key = making.new_key()
    # Some clients look at nothing without a name; this one is nobody's (RFC 6761).
    name = f"{secrets.token_hex(16)}.daemun.invalid"
    builder = making.begin(NAME, None, now=now, days=_DAYS).public_key(key.public_key())
    builder = making.server_usage(builder).add_extension(making.alternative_names((name,)), critical=False)
    return parse(making.pem(builder.sign(key, hashes.SHA256())), making.key_pem(key))
