"""The signed session with an authority: HTTPS, JWS, nonces, problem documents (RFC 8555 section 6). Blocking.

JWS and the session are certbot's `acme`; ours are the roots and the server name, the retries of bad nonces, the use of
the nonces that errors bring, Retry-After, and that everything that goes wrong is a Refusal. Several threads may send
at once. A redirection of a signed request is not followed.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from acme import jws
from acme.client import ClientNetwork
from acme.messages import Registration, RegistrationResource
from josepy.errors import Error as JoseError
from josepy.interfaces import JSONDeSerializable
from requests.adapters import HTTPAdapter

from daemun.acme.keys import AccountKey, signing
from daemun.acme.refusal import Refusal, from_document, refusal, retry_at
from daemun.acme.resolver import Resolver
from daemun.version import installed_version

_NONCE_TRIES = 10
_MOST_NONCES = 50
_CONNECT = 30.0


class _Payload(JSONDeSerializable):
    """What is signed; `acme` wants an object of its own kind."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def to_partial_json(self) -> Any:
        return dict(self._value)

    @classmethod
    def from_json(cls, jobj: Any) -> _Payload:
        return cls(jobj)


class _Adapter(HTTPAdapter):
    """Connections with our own roots, and no others."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._tls: dict[str, Any] = {"ssl_context": context}
        if server_name:
            self._tls |= {"server_hostname": server_name, "assert_hostname": server_name}
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, dict(self._tls) if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the context has everything, and more roots would be added here."""


class Network(ClientNetwork):
    """The signed session with one authority."""

    def __init__(
        self, resolver: Resolver, key: AccountKey, *, directory: Path, now: Callable[[], datetime], uri: str = ""
    ) -> None:
        jwk, algorithm = signing(key)
        super().__init__(key=jwk, alg=algorithm, user_agent=_user_agent())
        self._now = now
        self._host = urlsplit(resolver.ca_server).netloc
        self._limits = (min(_CONNECT, resolver.client_timeout), resolver.response_head_timeout)
        self._lock = threading.Lock()
        self.session.mount("https://", _Adapter(_context(resolver, directory), resolver.ca_server_name))
        self.be(uri)

    def be(self, uri: str) -> None:
        """Sign as this account from now on; without an address, with the key alone."""
        self.account = RegistrationResource(uri=uri, body=Registration()) if uri else None

    def ask(self, url: str) -> requests.Response:
        """GET without signing. Raises Refusal."""
        return self._check_response(self._send_request("GET", url))

    def send(self, url: str, payload: Mapping[str, Any] | None, *, new_nonce: str) -> requests.Response:
        """POST signed; without a payload as GET (RFC 8555 section 6.3). Bad nonces are retried. Raises Refusal."""
        body = None if payload is None else _Payload(payload)
        for _ in range(_NONCE_TRIES - 1):
            try:
                return self._post_once(url, body, new_nonce_url=new_nonce)
            except Refusal as error:
                if error.kind != "badNonce":
                    raise
        return self._post_once(url, body, new_nonce_url=new_nonce)

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = self._limits
        kwargs["allow_redirects"] = method != "POST"
        try:
            response = super()._send_request(method, url, *args, **kwargs)
        except requests.exceptions.SSLError as error:
            raise refusal("untrusted", f"the authority's own certificate is not trusted: {_core(error)}") from None
        except requests.exceptions.Timeout:
            raise refusal("unreachable", f"the authority at {self._host} does not answer in time") from None
        except (requests.exceptions.RequestException, OSError) as error:
            raise refusal("unreachable", f"the authority at {self._host} cannot be reached: {_core(error)}") from None
        # Every answer brings the next nonce, errors too (RFC 8555 section 6.5).
        with self._lock:
            if (nonce := response.headers.get(self.REPLAY_NONCE_HEADER)) and len(self._nonces) < _MOST_NONCES:
                self._nonces.add(nonce)
        return response

    def _add_nonce(self, response: requests.Response) -> None:
        """Do nothing: `_send_request` has taken it."""

    def _get_nonce(self, url: str, new_nonce_url: str) -> Any:
        with self._lock:
            if self._nonces:
                return self._decoded(self._nonces.pop())
        response = self._send_request("HEAD", new_nonce_url or url)
        nonce = response.headers.get(self.REPLAY_NONCE_HEADER)
        if not nonce:
            raise refusal("protocol", f"the authority at {self._host} gives no nonce (status {response.status_code})")
        with self._lock:
            self._nonces.discard(nonce)
        return self._decoded(nonce)

    def _decoded(self, nonce: str) -> Any:
        try:
            return jws.Header._fields["nonce"].decode(nonce)
        except JoseError:
            raise refusal("protocol", f"the authority at {self._host} gives a nonce that is none") from None

    def _check_response(  # type: ignore[override]
        self,
        response: requests.Response,
        content_type: str | None = None,  # noqa: ARG002
    ) -> requests.Response:
        if response.ok:
            return response
        later = retry_at(response.headers.get("Retry-After"), self._now())
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict) or "type" not in document:
            kind = "serviceUnavailable" if response.status_code >= 500 else "protocol"
            detail = f"{self._host} answers {response.status_code} without saying why"
            raise refusal(kind, detail, retry_at=later)
        raise from_document(document, status=response.status_code, retry_at=later)


def _user_agent() -> str:
    version = installed_version()
    return "daemun" if version is None else f"daemun/{version}"


def _context(resolver: Resolver, directory: Path) -> ssl.SSLContext:
    """Return the roots that the authority's own certificate is checked against: the user's, else the system's."""
    context = ssl.create_default_context()
    if resolver.ca_certificates and not resolver.ca_system_roots:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in resolver.ca_certificates:
        path = directory / name
        try:
            context.load_verify_locations(path)
        except (OSError, ssl.SSLError) as error:
            reason = "it is no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise refusal("untrusted", f"caCertificates of the resolver: {path} cannot be read: {reason}") from None
    if not resolver.ca_certificates and not context.cert_store_stats()["x509_ca"]:
        from certifi import where  # a machine without roots of its own

        context.load_verify_locations(where())
    return context


def _core(error: BaseException) -> str:
    """Return the innermost reason that a chain of libraries gives, in one line."""
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__ or (error.args or (None,))[0]
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
    return " ".join(str(text).rpartition(": ")[2].split())[:200] or type(error).__name__
