"""Go's names of versions, cipher suites and curves, and what the engine has of them.

Facts: Traefik takes the names of Go's crypto/tls. The engine's library (rustls) has TLS 1.2 and 1.3, the six suites of
TLS 1.2 with ephemeral keys and authenticated encryption, and no P-521. Go ignores names of TLS 1.3's suites: they cannot
be switched off, nor can their order be chosen. These are tables; what follows from them is in lower_tls_options.py.
"""

from __future__ import annotations

from daemun.plan.tls import TlsVersion

# Versions below 1.2 are known, and not there.
VERSIONS: dict[str, TlsVersion | None] = {
    "VersionTLS10": None,
    "VersionTLS11": None,
    "VersionTLS12": TlsVersion.V12,
    "VersionTLS13": TlsVersion.V13,
}

# The engine's own order: the one it has when nothing is said.
SUITES_13 = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
SUITES_12 = (
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
)
# Older names of the same suites.
SUITE_ALIASES = {
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}
MISSING_SUITES = (
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_FALLBACK_SCSV",
)

# Go's names and IANA's; None is known and not there.
CURVES: dict[str, str | None] = {
    "X25519MLKEM768": "X25519MLKEM768",
    "X25519": "x25519",
    "CurveP256": "secp256r1",
    "CurveP384": "secp384r1",
    "CurveP521": None,
    "SecP256r1MLKEM768": None,
    "SecP384r1MLKEM1024": None,
    "x25519mlkem768": "X25519MLKEM768",
    "x25519": "x25519",
    "secp256r1": "secp256r1",
    "secp384r1": "secp384r1",
    "secp521r1": None,
}
