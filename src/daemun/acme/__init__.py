"""Certificates from ACME authorities: accounts, orders, challenges, storage, renewal.

want(resolvers, wishes, covered) ─► needs ─► agenda ─► order ─► authority ─► network ─► the authority
          ▲                          │                  │
    acme (one per instance)        store, journal     challenge ─► engine (tls-alpn-01), control (http-01)
          ▼
materials() ─► whoever hands certificates to the engine; status() ─► `daemun certs`
"""
