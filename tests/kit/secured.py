"""An engine whose listener speaks TLS, with certificates of one authority that tests share."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

from cryptography import x509

from tests.kit.authority import Authority
from tests.kit.engine import Engine
from tests.kit.origin import Origin, answering
from tests.kit.plans import listener, plan, tls, tls_options
from tests.kit.wire import Client

AUTHORITY = Authority()
EXACT = AUTHORITY.issue("example.org")
WILD = AUTHORITY.issue("*.example.org")
OTHER = AUTHORITY.issue("other.test")
RSA = AUTHORITY.issue("example.org", kind="RSA-2048")
ALL = {"exact": EXACT, "wild": WILD, "other": OTHER, "rsa": RSA}


@contextlib.contextmanager
def secured(
    *certificates: str,
    options: dict[str, Any] | None = None,
    tls_fields: dict[str, Any] | None = None,
    **fields: Any,
) -> Iterator[tuple[Engine, dict[str, Any]]]:
    """An engine with these certificates of `ALL` on its listener; its Plan."""
    names = certificates or ("exact",)
    with Origin(answering(b"ok")) as origin:
        terms = tls(*names, **(tls_fields or {}))
        whole = plan(
            origin.address,
            listeners={"web": listener(tls=terms)},
            names={name: ALL[name].names for name in dict.fromkeys([*names, *_default(terms)])},
            tls_options={"options": tls_options(**(options or {}))},
            **fields,
        )
        with Engine(whole, certificates={name: ALL[name] for name in whole["certificates"]}) as engine:
            yield engine, whole


def _default(terms: dict[str, Any]) -> list[str]:
    return [terms["default_certificate"]] if terms["default_certificate"] else []


def shown(client: Client) -> int:
    """The serial number of the certificate that was shown."""
    certificate = client.tls.getpeercert(binary_form=True)
    assert certificate
    return x509.load_der_x509_certificate(certificate).serial_number


def unverified() -> ssl.SSLContext:
    context = AUTHORITY.trusting()
    context.check_hostname = False
    return context
