"""The conversation with an authority (RFC 8555): what is asked and what comes back. Blocking; no waiting.

    Authority ── directory, account, order, authorization, certificate, renewal information ──► Network

The requests as functions, the answers as values. Everything that goes wrong is a Refusal. Several threads may ask at
once. When to ask, and how often, is decided elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from acme.messages import Directory, ExternalAccountBinding
from josepy.errors import Error as JoseError
from requests.utils import parse_header_links

from daemun.acme.network import Network
from daemun.acme.refusal import Refusal, refusal, retry_at, said_of

_CHAINS = 10  # alternative chains that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to prove a name; `problem` is what the authority found wrong."""

    kind: str
    uri: str
    token: str
    status: str
    problem: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What the authority knows about our right to a name."""

    uri: str
    name: str
    status: str
    challenges: tuple[Challenge, ...]
    retry_at: datetime | None

    def refusal(self) -> Refusal:
        """Return why it is not valid."""
        said = [said_of(c.problem, name=self.name, challenge=c.kind) for c in self.challenges if c.problem]
        return Refusal(*said) if said else refusal("protocol", f"the proof for {self.name} is {self.status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the authority tells it."""

    uri: str
    status: str
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str
    problem: Mapping[str, Any] | None
    retry_at: datetime | None


class Authority:
    """What can be asked. All raise Refusal."""

    def __init__(self, network: Network, *, ca_server: str, now: Callable[[], datetime]) -> None:
        self._network = network
        self._ca_server = ca_server
        self._now = now
        self._known: dict[str, Any] | None = None
        self._lock = threading.Lock()

    def directory(self) -> dict[str, Any]:
        """Return the directory (RFC 8555 section 7.1.1), asked once."""
        with self._lock:
            if self._known is None:
                directory = _json(self._network.ask(self._ca_server))
                for name in ("newNonce", "newAccount", "newOrder"):
                    if not isinstance(directory.get(name), str):
                        raise refusal("protocol", f"{self._ca_server} is no ACME directory: it has no {name}")
                self._known = directory
            return self._known

    def register(self, *, email: str, eab: tuple[str, str] | None) -> tuple[str, dict[str, Any]]:
        """Make an account with our key, or find the one that is there; return its address and what the CA says."""
        payload: dict[str, Any] = {"termsOfServiceAgreed": True}
        if email:
            payload["contact"] = [f"mailto:{email}"]
        if eab is not None:
            payload["externalAccountBinding"] = self._binding(*eab)
        self._network.be("")
        response = self._post(self._url("newAccount"), payload)
        uri = response.headers.get("Location", "")
        if not uri:
            raise refusal("protocol", "the authority gives a new account no address")
        self._network.be(uri)
        body = _json(response)
        return uri, {name: body[name] for name in ("status", "contact") if name in body}

    def new_order(self, names: tuple[str, ...], *, profile: str, replaces: str) -> Order:
        """Order a certificate for these names (RFC 8555 section 7.4, RFC 9773 section 5)."""
        payload: dict[str, Any] = {"identifiers": [{"type": "dns", "value": name} for name in names]}
        payload |= {key: value for key, value in (("profile", profile), ("replaces", replaces)) if value}
        response = self._post(self._url("newOrder"), payload)
        return self._order(response, response.headers.get("Location", ""))

    def order(self, uri: str) -> Order:
        """Return the order as it stands."""
        return self._order(self._post(uri, None), uri)

    def authorization(self, uri: str) -> Authorization:
        """Return the authorization as it stands."""
        response = self._post(uri, None)
        body = _json(response)
        challenges = tuple(
            Challenge(
                kind=str(one.get("type", "")),
                uri=str(one.get("url", "")),
                token=str(one.get("token", "")),
                status=str(one.get("status", "")),
                problem=one.get("error"),
            )
            for one in body.get("challenges", ())
        )
        return Authorization(
            uri=uri,
            name=str((body.get("identifier") or {}).get("value", "")),
            status=str(body.get("status", "")),
            challenges=challenges,
            retry_at=self._later(response),
        )

    def answer(self, challenge: Challenge) -> None:
        """Tell the authority that the answer is in place."""
        self._post(challenge.uri, {})

    def finalize(self, order: Order, request: str) -> Order:
        """Hand in the certificate request, base64url of DER."""
        return self._order(self._post(order.finalize, {"csr": request}), order.uri)

    def chains(self, uri: str, *, alternatives: bool) -> list[str]:
        """Return the chain as PEM, the authority's first choice first (RFC 8555 section 7.4.2)."""
        response = self._post(uri, None)
        chains = [response.text]
        if alternatives:
            links = parse_header_links(response.headers.get("Link", ""))
            others = [str(link["url"]) for link in links if link.get("rel") == "alternate" and "url" in link]
            chains += [self._post(other, None).text for other in others[:_CHAINS]]
        return chains

    def renewal_info(self, identifier: str) -> tuple[dict[str, Any], datetime | None] | None:
        """Return the renewal information (RFC 9773 section 4) and when to ask again; None when it is not offered."""
        base = self.directory().get("renewalInfo")
        if not isinstance(base, str):
            return None
        response = self._network.ask(f"{base.rstrip('/')}/{identifier}")
        return _json(response), self._later(response)

    def _binding(self, kid: str, hmac: str) -> dict[str, Any]:
        key = self._network.key
        if key is None:
            raise refusal("protocol", "there is no account key to bind")
        directory = Directory({"newAccount": self._url("newAccount")})
        try:
            return ExternalAccountBinding.from_data(key.public_key(), kid, hmac, directory)
        except (ValueError, TypeError, JoseError):
            raise refusal("externalAccountRequired", "eab.hmacEncoded of the resolver is no base64url") from None

    def _url(self, name: str) -> str:
        return str(self.directory()[name])

    def _post(self, url: str, payload: Mapping[str, Any] | None) -> requests.Response:
        return self._network.send(url, payload, new_nonce=self._url("newNonce"))

    def _later(self, response: requests.Response) -> datetime | None:
        return retry_at(response.headers.get("Retry-After"), self._now())

    def _order(self, response: requests.Response, uri: str) -> Order:
        body = _json(response)
        return Order(
            uri=uri,
            status=str(body.get("status", "")),
            authorizations=tuple(str(one) for one in body.get("authorizations", ())),
            finalize=str(body.get("finalize", "")),
            certificate=str(body.get("certificate") or ""),
            problem=body.get("error"),
            retry_at=self._later(response),
        )


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        host = urlsplit(response.url).netloc
        raise refusal("protocol", f"{host} does not answer as an ACME server (status {response.status_code})")
    return body
