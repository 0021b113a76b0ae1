"""Middlewares of the dynamic configuration to the Plan's filters.

    Filters.resolve(name, provider) ──► Resolved(ids in order) | Refusal(why a router that uses it cannot be served)

A middleware becomes one filter or more; a chain becomes the filters of its members. A Refusal is not placed:
the router that asked knows where it named the middleware. Redirections are in lower_redirects.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemun.plan import filter as plan
from daemun.plan import script
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.route import HeaderValue, Respond
from daemun.plan.template import Literal, Variable
from daemun.traefik.dynamic import Dynamic, Entry
from daemun.traefik.entry_point import EncodedCharacters
from daemun.traefik.lower_redirects import redirect_scheme
from daemun.traefik.middlewares import Headers, Middleware
from daemun.traefik.names import provider_of, qualified, suggestion, unknown

_ENCODED = {
    "allow_encoded_slash": "2F",
    "allow_encoded_back_slash": "5C",
    "allow_encoded_null_character": "00",
    "allow_encoded_semicolon": "3B",
    "allow_encoded_percent": "25",
    "allow_encoded_question_mark": "3F",
    "allow_encoded_hash": "23",
}


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """Filter ids in order."""

    ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a reference cannot be used; `later` when a coming version will."""

    message: str
    later: bool = False
    suggestion: str = ""


@dataclass(kw_only=True)
class Filters:
    """The filters made so far, by id, and the middlewares looked up so far."""

    dynamic: Dynamic
    made: dict[str, plan.Filter] = field(default_factory=dict)
    _known: dict[str, Resolved | Refusal] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def resolve(self, reference: str, provider: str) -> Resolved | Refusal:
        """Return the filters of a middleware named by a router, a chain or an entry point, on behalf of a provider."""
        name = qualified(reference, provider)
        if name in self._open:
            members = [*self._open[self._open.index(name) :], name]
            loop = " → ".join(member.removesuffix(f"@{provider}") for member in members)
            return Refusal(message=f"the chain {name.removesuffix(f'@{provider}')!r} contains itself ({loop})")
        if name not in self._known:
            self._open.append(name)
            known = self._make(name, reference, provider)
            self._open.pop()
            if self._open and isinstance(known, Refusal) and "contains itself" in known.message:
                return known  # it depends on where the loop was entered
            self._known[name] = known
        return self._known[name]

    def _make(self, name: str, reference: str, provider: str) -> Resolved | Refusal:
        entry = self.dynamic.middlewares.get(name)
        if entry is None:
            if ("middleware", name) in self.dynamic.broken:
                return Refusal(message=f"the middleware {reference!r} has errors of its own")
            return self._unknown(reference, provider)
        middleware = entry.value
        if middleware.pending:
            return Refusal(message=f"the middleware {reference!r} ({middleware.pending[0]}) comes later", later=True)
        if middleware.chain is not None:
            return self._chain(middleware.chain.middlewares, provider_of(name))
        if middleware.headers is not None:
            return self._headers(name, middleware.headers)
        return self._keep(name, [_lower_simple(entry)])

    def _unknown(self, reference: str, provider: str) -> Refusal:
        known, providers, silent = self.dynamic.middlewares, self.dynamic.providers, self.dynamic.silent
        message = unknown("is no middleware", reference, provider, known=known, providers=providers, silent=silent)
        if provider_of(qualified(reference, provider)) in silent:
            return Refusal(message=message, later=True)
        return Refusal(message=message, suggestion=suggestion(reference, provider, known=known))

    def _chain(self, names: tuple[str, ...], provider: str) -> Resolved | Refusal:
        ids: list[str] = []
        for name in names:
            member = self.resolve(name, provider)
            if isinstance(member, Refusal):
                return member
            ids.extend(member.ids)
        return Resolved(ids=tuple(ids))

    def _headers(self, name: str, headers: Headers) -> Resolved | Refusal:
        guarding = [option for option in headers.pending if option in headers.guarding]
        if guarding:
            return Refusal(message=f"the middleware {name.partition('@')[0]!r} ({guarding[0]}) comes later", later=True)
        response = {**headers.custom_response_headers, **_security_fields(headers)}
        filters: list[plan.Filter] = []
        if headers.custom_request_headers:
            filters.append(plan.RequestHeaders(_ops(headers.custom_request_headers)))
        if response:
            filters.append(plan.ResponseHeaders(statuses=(), ops=_ops(response)))
        return self._keep(name, filters)

    def _keep(self, name: str, filters: list[plan.Filter]) -> Resolved:
        """Give the filters ids: the middleware's full name, and a number from the second on."""
        ids = [name if number == 1 else f"{name}#{number}" for number in range(1, len(filters) + 1)]
        self.made.update(zip(ids, filters, strict=True))
        return Resolved(ids=tuple(ids))


def refuse_encoded(allowed: EncodedCharacters) -> plan.Filter | None:
    """Return the filter that answers 400 to a path with an encoded character that is not allowed."""
    refused = [code for option, code in _ENCODED.items() if not getattr(allowed, option)]
    if not refused:
        return None
    pattern = Pattern(regex=f"%({'|'.join(refused)})", dialect=Dialect.RE2, ignore_case=True, slot=None)
    return plan.Respond(
        when=script.Matches(value=(Variable.PATH,), pattern=pattern),
        respond=Respond(status=400, headers=(), body=()),
    )


def canonical_name(name: str) -> str:
    """Return a field's name as Go writes it: `x-real-ip` is `X-Real-Ip`."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def _lower_simple(entry: Entry[Middleware]) -> plan.Filter:
    """Lower a middleware of a kind that is one filter."""
    middleware = entry.value
    if middleware.add_prefix is not None:
        return plan.AddPrefix(prefix=_with_slash(middleware.add_prefix.prefix))
    if middleware.strip_prefix is not None:
        return plan.StripPrefix(prefixes=tuple(prefix.strip() for prefix in middleware.strip_prefix.prefixes))
    if middleware.replace_path is not None:
        return plan.ReplacePath(path=_with_slash(middleware.replace_path.path))
    if middleware.redirect_scheme is not None:
        options = middleware.redirect_scheme
        return redirect_scheme(scheme=options.scheme, port=options.port, permanent=options.permanent)
    raise AssertionError(entry.name)  # the model admits no other kind


def _with_slash(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _ops(fields: Mapping[str, str]) -> tuple[plan.HeaderOp, ...]:
    """Return the changes in the order written; an empty value removes."""
    return tuple(
        plan.Set(HeaderValue(name=canonical_name(name), value=(Literal(value),)))
        if value
        else plan.Remove(canonical_name(name))
        for name, value in fields.items()
    )


def _security_fields(headers: Headers) -> dict[str, str]:
    """Return the response fields of the security options; Public-Key and an unforced STS need TLS."""
    fields = {
        "X-Frame-Options": headers.custom_frame_options_value or ("DENY" if headers.frame_deny else ""),
        "X-Content-Type-Options": "nosniff" if headers.content_type_nosniff else "",
        "X-XSS-Protection": headers.custom_browser_xss_value or ("1; mode=block" if headers.browser_xss_filter else ""),
        "Content-Security-Policy": headers.content_security_policy,
        "Content-Security-Policy-Report-Only": headers.content_security_policy_report_only,
        "Referrer-Policy": headers.referrer_policy,
        "Permissions-Policy": headers.permissions_policy,
    }
    if headers.force_sts_header and headers.sts_seconds and not headers.is_development:
        subdomains = "; includeSubDomains" if headers.sts_include_subdomains else ""
        preload = "; preload" if headers.sts_preload else ""
        fields["Strict-Transport-Security"] = f"max-age={headers.sts_seconds}{subdomains}{preload}"
    return {name: value for name, value in fields.items() if value}
