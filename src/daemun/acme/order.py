"""One order, from the wish to the stored certificate (RFC 8555 section 7.4), in steps that a crash may cut anywhere.

    key in the journal ─► order placed ─► its address in the journal ─► every name proven ─► finalized
                                                    └──────── a restart goes on from here ────────┘
    ─► chain fetched, checked against the key ─► storage ─► journal cleared

The private key is kept before the order is placed, so what was finalized before a crash is fetched after it. Each
request runs in a thread, waiting is the event loop's: cancelling ends it between two requests, answers are taken down.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from cryptography import x509

from daemun.acme import durable, store
from daemun.acme.account import Session
from daemun.acme.authority import Authorization, Challenge, Order
from daemun.acme.blocking import call
from daemun.acme.challenge import HTTP, TLS, Challenges, answer, proof_certificate
from daemun.acme.clock import Clock, sleep
from daemun.acme.journal import Failure, Journal, PendingOrder, Renewal
from daemun.acme.keys import make_key, make_request
from daemun.acme.needs import Need, by_name, serving
from daemun.acme.refusal import Refusal, from_document, refusal
from daemun.acme.renewal import identifier
from daemun.acme.resolver import Resolver
from daemun.acme.store import Stored
from daemun.certificates.material import Material, parse
from daemun.config.local_names import is_covered
from daemun.errors import CertificateError

T = TypeVar("T", Order, Authorization)
_log = structlog.get_logger()

_PROOF_LIMIT = 300.0  # seconds for the authority to look at all answers
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_OPEN = {"pending", "ready", "processing", "valid"}
_ENDED = {"valid", "invalid", "deactivated", "expired", "revoked"}
# An order that is refused for these reasons is refused without `replaces` too.
_NOT_BY_REPLACES = {"unreachable", "untrusted", "rateLimited", "userActionRequired", "accountDoesNotExist", "badNonce"}


class Elsewhere(Exception):
    """Another process orders these names at this moment."""


class Ordering:
    """Orders for one resolver. `before` is awaited before an order is placed, with the names and how they are proven."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        session: Session,
        challenges: Challenges,
        directory: Path,
        clock: Clock,
        before: Callable[[Sequence[str], str], Awaitable[None]],
    ) -> None:
        self._resolver = resolver
        self._session = session
        self._ask = session.authority
        self._challenges = challenges
        self._storage = directory / resolver.storage
        self._journal = Journal(self._storage)
        self._clock = clock
        self._before = before

    async def obtain(self, need: Need, *, attempt: int = 0, new_key: bool = False) -> Stored:
        """Return the certificate, stored. Raises Refusal, StorageError, OSError, Elsewhere.

        `attempt` counts the failures before: with two ways to prove a name they take turns.
        """
        with self._claim(need) as mine:
            if not mine:
                raise Elsewhere
            if (known := await call(self._already, need)) is not None:
                return known
            pending = await call(self._begin, need, new_key=new_key)
            order = await self._resume(pending)
            if order is None:
                await self._before(need.names, self._kinds(attempt)[0])
                order = await self._place(need, pending)
            order = await self._prove(order, attempt)
            order = await self._finalize(order, pending)
            material = await self._fetch(order, pending)
            return await call(self._finish, need, material)

    @contextlib.contextmanager
    def _claim(self, need: Need) -> Iterator[bool]:
        with durable.claimed(self._storage, need.id) as mine:
            yield mine

    def _already(self, need: Need) -> Stored | None:
        """Return what another process has stored meanwhile."""
        stored, _ = store.read(self._storage).certificates(need.resolver)
        current = serving(need.names[0], by_name(stored))
        if current is None or not all(is_covered(name, current.material.names) for name in need.names):
            return None
        if need.current is not None and current.material.not_after <= need.current.material.not_after:
            return None
        return current

    def _begin(self, need: Need, *, new_key: bool) -> PendingOrder:
        """Return the order that was begun and not ended, else a new one, kept with its key."""
        current = need.current
        replaces = "" if current is None else identifier(current.material)
        known = self._journal.read().orders.get(need.id)
        if (
            known is not None
            and known.ca_server == self._resolver.ca_server
            and set(known.names) == set(need.names)
            and known.replaces == replaces
        ):
            return known
        key = current.material.key if current is not None and not new_key else make_key(self._resolver.key_type)
        pending = PendingOrder(ca_server=self._resolver.ca_server, names=need.names, key=key, replaces=replaces)
        self._journal.keep({need.id: pending})
        return pending

    async def _resume(self, pending: PendingOrder) -> Order | None:
        """Return the order that was placed before, when the authority still has it and it can still succeed."""
        if not pending.uri:
            return None
        try:
            order = await call(self._ask.order, pending.uri)
        except Refusal as error:
            if error.kind in _NOT_BY_REPLACES:
                raise
            return None
        return order if order.status in _OPEN else None

    async def _place(self, need: Need, pending: PendingOrder) -> Order:
        profile = self._resolver.profile
        # Only where the authority knows such names.
        replaces = pending.replaces if "renewalInfo" in await call(self._ask.directory) else ""
        try:
            order = await call(self._ask.new_order, pending.names, profile=profile, replaces=replaces)
        except Refusal as error:
            if not replaces or error.kind in _NOT_BY_REPLACES:
                raise
            _log.info("the authority does not take the order as a replacement", names=need.names, said=error.message)
            order = await call(self._ask.new_order, pending.names, profile=profile, replaces="")
        if not order.uri or not order.finalize:
            raise refusal("protocol", "the authority gives the order no address")
        await call(self._journal.keep, {need.id: replace(pending, uri=order.uri)})
        return order

    async def _prove(self, order: Order, attempt: int) -> Order:
        """Prove every name that the authority wants proven."""
        if order.status != "pending":
            return order
        pending: list[tuple[Authorization, Challenge]] = []
        try:
            for uri in order.authorizations:
                authorization = await call(self._ask.authorization, uri)
                if authorization.status == "valid":
                    continue
                if authorization.status != "pending":
                    raise authorization.refusal()
                challenge = _choose(authorization, self._kinds(attempt))
                pending.append((authorization, challenge))
                await self._show(authorization.name, challenge)
            delays = {HTTP: self._resolver.http_delay, TLS: self._resolver.tls_delay}
            if pause := max((delays[challenge.kind] for _, challenge in pending), default=0.0):
                await sleep(self._clock, self._clock.now() + timedelta(seconds=pause))
            await self._await_proofs(pending)
        finally:
            for authorization, challenge in pending:
                await self._hide(authorization.name, challenge)
        return await self._poll(partial(self._ask.order, order.uri), {"ready", "valid", "invalid"}, _PROOF_LIMIT)

    async def _await_proofs(self, pending: Sequence[tuple[Authorization, Challenge]]) -> None:
        for _, challenge in pending:
            if challenge.status == "pending":
                await call(self._ask.answer, challenge)
        refused: list[Refusal] = []
        for authorization, _ in pending:
            done = await self._poll(partial(self._ask.authorization, authorization.uri), _ENDED, _PROOF_LIMIT)
            if done.status != "valid":
                refused.append(done.refusal())
        if refused:
            raise Refusal(*(said for one in refused for said in one.said))

    async def _finalize(self, order: Order, pending: PendingOrder) -> Order:
        if order.status == "ready":
            resolver = self._resolver
            request = await call(
                make_request,
                pending.key,
                pending.names,
                common_name=not resolver.disable_common_name,
                emails=resolver.email_addresses,
            )
            order = await call(self._ask.finalize, order, base64.urlsafe_b64encode(request).decode().rstrip("="))
        if order.status not in {"valid", "invalid"}:
            limit = self._resolver.certificate_timeout
            order = await self._poll(partial(self._ask.order, order.uri), {"valid", "invalid"}, limit)
        if order.status == "invalid" or not order.certificate:
            raise _order_refusal(order)
        return order

    async def _fetch(self, order: Order, pending: PendingOrder) -> Material:
        preferred = self._resolver.preferred_chain
        chains = await call(self._ask.chains, order.certificate, alternatives=bool(preferred))
        chain = chains[0]
        if preferred:
            match = next((one for one in chains if topmost_issuer(one) == preferred), None)
            if match is None:
                offered = ", ".join(dict.fromkeys(filter(None, map(topmost_issuer, chains))))
                _log.warning(
                    "the authority offers no chain as preferredChain asks: its first one is taken",
                    resolver=self._resolver.name,
                    preferred=preferred,
                    offered=offered,
                )
            chain = match or chain
        try:
            material = parse(chain, pending.key)
        except CertificateError as error:
            raise refusal("protocol", f"the authority's certificate cannot be used: {error}") from None
        if missing := [name for name in pending.names if not is_covered(name, material.names)]:
            raise refusal("protocol", f"the authority's certificate lacks {', '.join(missing)}")
        return material

    def _finish(self, need: Need, material: Material) -> Stored:
        stored = Stored(resolver=need.resolver, names=need.names, material=material)
        instead = () if need.current is None else need.current.names
        # A certificate with more names than these may serve others still.
        instead = instead if set(instead) <= set(need.names) else ()
        store.update(self._storage, lambda raw: store.put_certificate(raw, need.resolver, stored, instead=instead))
        self._journal.drop([need.id], PendingOrder, Failure, Renewal)
        return stored

    def _kinds(self, attempt: int) -> list[str]:
        kinds = [HTTP] if self._resolver.http_entry_point is not None else []
        kinds += [TLS] if self._resolver.tls_challenge else []
        return kinds[::-1] if attempt % 2 else kinds

    async def _show(self, name: str, challenge: Challenge) -> None:
        text = answer(challenge.token, self._session.thumb)
        if challenge.kind == HTTP:
            self._challenges.tokens[challenge.token] = text
        else:
            chain, key = await call(proof_certificate, name, text, self._clock.now())
            await self._challenges.put(name, chain, key)

    async def _hide(self, name: str, challenge: Challenge) -> None:
        if challenge.kind == HTTP:
            self._challenges.tokens.pop(challenge.token, None)
        else:
            with contextlib.suppress(Exception):  # the engine may be gone, and the certificate with it
                await self._challenges.drop(name)

    async def _poll(self, ask: Callable[[], T], until: set[str], limit: float) -> T:
        """Ask until the status is one of these, as often as the authority wants to be asked."""
        end = self._clock.now() + timedelta(seconds=limit)
        pause = _FIRST_PAUSE
        while (said := await call(ask)).status not in until:
            now = self._clock.now()
            if now >= end:
                raise refusal("timeout", f"the authority is not done after {limit:.0f} s: the order is {said.status}")
            next_look = now + timedelta(seconds=pause)
            await sleep(self._clock, min(max(next_look, said.retry_at or next_look), end))
            pause = min(pause * 2, _LONGEST_PAUSE)
        return said


def topmost_issuer(chain: str) -> str:
    """Return the common name of whoever signed the last certificate of a chain, what `preferredChain` means."""
    try:
        last = x509.load_pem_x509_certificates(chain.encode())[-1]
    except ValueError:
        return ""
    names = last.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _choose(authorization: Authorization, kinds: Sequence[str]) -> Challenge:
    for kind in kinds:
        for challenge in authorization.challenges:
            if challenge.kind == kind and challenge.token:
                return challenge
    offered = ", ".join(challenge.kind for challenge in authorization.challenges) or "none"
    raise refusal(
        "protocol", f"the authority proves {authorization.name} by {offered}, the resolver by {' and '.join(kinds)}"
    )


def _order_refusal(order: Order) -> Refusal:
    if order.problem:
        return from_document(order.problem)
    return refusal("protocol", "the authority gives no certificate for the order, and no reason")
