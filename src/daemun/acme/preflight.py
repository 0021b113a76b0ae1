"""What can be known before an order is placed: does a name resolve, does it lead to this process. Warnings only.

    names ─► resolve ─► each address ─► our own answer asked for, as the authority will ─► Finding

Through the normal path: port 80 with the name as Host, or port 443 with the name as SNI and `acme-tls/1`. What is seen
from inside a network may differ from what the authority sees, so nothing is refused here; an address that cannot be
tried from here (no route) says nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from daemun.acme.blocking import call
from daemun.acme.challenge import ALPN, HTTP, PATH, Challenges, proof_certificate

Resolve = Callable[[str], Awaitable[Sequence[str]]]
_LIMIT = 3.0
_MOST_ADDRESSES = 4
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a name that will probably make its proof fail."""

    name: str
    message: str


class Preflight:
    """The checks; `resolve` and the ports are the tests' to set."""

    def __init__(
        self,
        challenges: Challenges,
        *,
        now: Callable[[], datetime],
        resolve: Resolve | None = None,
        http_port: int = 80,
        tls_port: int = 443,
    ) -> None:
        self._challenges = challenges
        self._now = now
        self._resolve = resolve or system_addresses
        self._ports = (http_port, tls_port)

    async def check(self, names: Sequence[str], kind: str) -> list[Finding]:
        """Return what speaks against proving these names in this way; never raises, never takes long."""
        found = await asyncio.gather(*(self._check(name, kind) for name in names))
        return [finding for findings in found for finding in findings]

    async def _check(self, name: str, kind: str) -> list[Finding]:
        try:
            async with asyncio.timeout(_LIMIT):
                addresses = await self._resolve(name)
        except (OSError, TimeoutError):
            addresses = ()
        if not addresses:
            message = f"{name} has no address here: give it an A or AAAA record that leads to this machine"
            return [Finding(name=name, message=message)]
        proof = self._by_http if kind == HTTP else self._by_tls
        return [Finding(name=name, message=message) for message in await proof(name, addresses[:_MOST_ADDRESSES])]

    async def _by_http(self, name: str, addresses: Sequence[str]) -> list[str]:
        token, text = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._challenges.tokens[token] = text
        try:
            said = await asyncio.gather(*(_timed(_fetch, a, self._ports[0], name, token) for a in addresses))
        finally:
            self._challenges.tokens.pop(token, None)
        return [_http_message(name, a, one) for a, one in zip(addresses, said, strict=True) if one not in {"", text}]

    async def _by_tls(self, name: str, addresses: Sequence[str]) -> list[str]:
        chain, key = await call(proof_certificate, name, secrets.token_urlsafe(16), self._now())
        shown = ssl.PEM_cert_to_DER_cert(chain).hex()
        try:
            await self._challenges.put(name, chain, key)
            said = await asyncio.gather(*(_timed(_shake, a, self._ports[1], name) for a in addresses))
        except Exception as error:  # noqa: BLE001 - the engine's affair; the order will say it
            return [f"the challenge certificate for {name} cannot be shown: {error}"]
        finally:
            with contextlib.suppress(Exception):
                await self._challenges.drop(name)
        return [_tls_message(name, a, one) for a, one in zip(addresses, said, strict=True) if one not in {"", shown}]


async def system_addresses(name: str) -> Sequence[str]:
    """Return the addresses that this machine finds for a name."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _timed(ask: Callable[..., str], *arguments: object) -> str:
    """Return what was found; empty when it cannot be known from here."""
    try:
        async with asyncio.timeout(_LIMIT):
            return await call(ask, *arguments)
    except TimeoutError:
        return "!nothing answers"
    except OSError as error:
        return "" if error.errno in _NO_ROUTE else f"!{error.strerror or error}"
    except (http.client.HTTPException, ValueError) as error:
        return f"!{type(error).__name__}"


def _fetch(address: str, port: int, name: str, token: str) -> str:
    """Return the body at our own token, over a plain connection to this address; a redirection is not followed."""
    connection = http.client.HTTPConnection(address, port, timeout=_LIMIT)
    try:
        connection.request("GET", PATH + token, headers={"Host": name})
        response = connection.getresponse()
        body = response.read(1024).decode("ascii", "replace").strip()
        if response.status in _REDIRECTS:
            # The authority follows it; where it ends cannot be told from one step.
            return ""
        return body if response.status == 200 else f"!it answers {response.status}"
    finally:
        connection.close()


def _shake(address: str, port: int, name: str) -> str:
    """Return the certificate that is shown to `acme-tls/1`, as hex of DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    with (
        socket.create_connection((address, port), timeout=_LIMIT) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        shown = secure.getpeercert(binary_form=True) or b""
        return shown.hex() if secure.selected_alpn_protocol() == ALPN else "!it does not speak acme-tls/1"


def _http_message(name: str, address: str, said: str) -> str:
    if said.startswith("!"):
        return f"{name} leads to {address}, but port 80 there does not answer as this process would: {said[1:]}"
    return f"{name} leads to {address}, where another server answers at port 80"


def _tls_message(name: str, address: str, said: str) -> str:
    if said.startswith("!"):
        return f"{name} leads to {address}, but port 443 there does not answer as this process would: {said[1:]}"
    return f"{name} leads to {address}, where another server answers at port 443"
