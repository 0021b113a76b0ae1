"""`tls.options` to the Plan's terms of a handshake.

Facts (Traefik v3.7): TLS 1.2 at least, every suite and curve Go has, ALPN h2, http/1.1 and acme-tls/1; an unknown name
breaks the options, and so the routers that use them. Decisions (COMPAT section 5): what the engine does not have is
left out and said; an empty remainder breaks the options; below 1.2 there is nothing to serve. Options that are broken,
or ask for certificates of clients, which comes later, refuse every handshake: never are they served without.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from daemun.errors import Problem, Severity, nearest
from daemun.plan.scalars import Id
from daemun.plan.tls import TlsOptions as PlanOptions
from daemun.plan.tls import TlsVersion
from daemun.traefik import tls_names
from daemun.traefik.dynamic import Dynamic, Entry
from daemun.traefik.lower_filters import Refusal
from daemun.traefik.names import qualified, suggestion, unknown
from daemun.traefik.tls import DEFAULT, TlsOptions

_ACME_TLS = "acme-tls/1"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Options by id, those that are broken by id, and everything found wrong."""

    options: Mapping[Id, PlanOptions]
    refusals: Mapping[Id, Refusal]
    problems: tuple[Problem, ...]
    providers: tuple[str, ...] = ()

    def resolve(self, reference: str, provider: str) -> Id | Refusal:
        """Return the id of options that a router names, itself or by its entry point; none named is the default."""
        if reference in {"", DEFAULT}:
            return self.refusals.get(DEFAULT, DEFAULT)
        wanted = qualified(reference, provider)
        if wanted in self.options:
            return self.refusals.get(wanted, wanted)
        known = self.options
        message = unknown("are no TLS options", reference, provider, known=known, providers=self.providers)
        return Refusal(message=message, suggestion=suggestion(reference, provider, known=known))


def lower_terms(dynamic: Dynamic, *, challenges: bool) -> Terms:
    """Return every options value; `challenges` adds the protocol of TLS-ALPN-01, whatever is said of protocols."""
    options: dict[Id, PlanOptions] = {DEFAULT: _lower_sound(TlsOptions(), challenges=challenges)}
    refusals: dict[Id, Refusal] = {}
    problems: list[Problem] = []
    for name, entry in dynamic.tls_options.items():
        reading = _Reading(entry)
        options[name] = reading.lower(challenges=challenges)
        problems.extend(reading.problems)
        if reading.refusal is not None:
            refusals[name] = reading.refusal
    for kind, name in sorted(dynamic.broken):
        if kind == "TLS options":
            options[name] = refuse_all()
            refusals[name] = Refusal(message=f"the TLS options {name.partition('@')[0]!r} have errors of their own")
    return Terms(options=options, refusals=refusals, problems=tuple(problems), providers=dynamic.providers)


def refuse_all() -> PlanOptions:
    """Return the terms on which every handshake ends."""
    return PlanOptions(
        min_version=TlsVersion.V12,
        max_version=TlsVersion.V13,
        cipher_suites=(),
        groups=(),
        alpn=(),
        sni_strict=False,
        reject=True,
        session_tickets=False,
        client_auth=None,
    )


def _lower_sound(
    options: TlsOptions,
    *,
    challenges: bool,
    versions: tuple[TlsVersion, TlsVersion] = (TlsVersion.V12, TlsVersion.V13),
    suites: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> PlanOptions:
    alpn = options.alpn_protocols
    if challenges and _ACME_TLS not in alpn:
        alpn = (*alpn, _ACME_TLS)
    return PlanOptions(
        min_version=versions[0],
        max_version=versions[1],
        cipher_suites=suites,
        groups=groups,
        alpn=alpn,
        sni_strict=options.sni_strict,
        reject=False,
        session_tickets=not options.disable_session_tickets,
        client_auth=None,
    )


@dataclass
class _Reading:
    """One entry of `tls.options`, read value by value so that everything wrong is said at once."""

    entry: Entry[TlsOptions]
    problems: list[Problem] = field(default_factory=list)
    refusal: Refusal | None = None

    def lower(self, *, challenges: bool) -> PlanOptions:
        options = self.entry.value
        least = self._version("minVersion", options.min_version, TlsVersion.V12)
        most = self._version("maxVersion", options.max_version, TlsVersion.V13)
        if least > most:
            self._break("maxVersion", f"maxVersion {options.max_version} is below minVersion {options.min_version}")
        suites = self._names("cipherSuites", options.cipher_suites, _SUITES)
        groups = self._names("curvePreferences", options.curve_preferences, tls_names.CURVES)
        if options.cipher_suites:
            of_12 = [suite for suite in tls_names.SUITES_12 if suite in suites]
            if not of_12 and self.refusal is None:
                # Go would serve TLS 1.2 with nothing: only 1.3 is left.
                least = TlsVersion.V13
                if most < least:
                    self._break("cipherSuites", "none of the cipherSuites is one of TLS 1.2, and maxVersion ends there")
            # Those of 1.3 cannot be switched off (Go).
            suites = (*(tls_names.SUITES_13 if most == TlsVersion.V13 else ()), *of_12)
        if options.client_auth.wanted:
            self._later()
        if self.refusal is not None:
            return refuse_all()
        return _lower_sound(options, challenges=challenges, versions=(least, most), suites=suites, groups=groups)

    def _version(self, option: str, name: str, default: TlsVersion) -> TlsVersion:
        if not name:
            return default
        if name not in tls_names.VERSIONS:
            suggestion = nearest(name, tls_names.VERSIONS)
            self._break(option, f"{option} cannot be {name!r}: write {_or(tls_names.VERSIONS)}", suggestion=suggestion)
            return default
        version = tls_names.VERSIONS[name]
        if version is not None:
            return version
        if option == "maxVersion":
            self._break(option, f"{name} is not there: TLS begins with 1.2 here, so nothing would be served")
        else:
            self._say("warning", option, f"{name} is not there: TLS begins with 1.2 here, and that is served")
        return default

    def _names(self, option: str, names: Sequence[str], known: Mapping[str, str | None]) -> tuple[str, ...]:
        """Return what the engine has of the names, in their order; what it does not have is said."""
        found: list[str] = []
        unknown = False
        for index, name in enumerate(names):
            if name not in known:
                unknown = True
                self._break(option, f"{option} cannot be {name!r}", index=index, suggestion=nearest(name, known))
                continue
            there = known[name]
            if there is None:
                self._say("warning", option, f"{name} is not there and left out", index=index)
            else:
                found.append(there)
        if names and not found and not unknown:
            self._break(option, f"nothing is left of {option}: none of these is there")
        return tuple(dict.fromkeys(found))

    def _later(self) -> None:
        name = self.entry.name
        message = f"not yet: certificates of clients come later; handshakes with the options {name!r} are refused"
        self._say("warning", "clientAuth", message, kind="not_yet")
        self.refusal = self.refusal or Refusal(message=f"its TLS options {name!r} (clientAuth) come later", later=True)

    def _break(self, option: str, message: str, *, index: int | None = None, suggestion: str = "") -> None:
        self._say("error", option, message, index=index, suggestion=suggestion)
        self.refusal = Refusal(message=f"its TLS options {self.entry.name!r} have errors of their own")

    def _say(
        self,
        severity: Severity,
        option: str,
        message: str,
        *,
        index: int | None = None,
        suggestion: str = "",
        kind: str = "value",
    ) -> None:
        steps: tuple[str | int, ...] = (option,)
        if index is not None and self.entry.has_place(option, index):
            steps = (option, index)
        self.problems.append(
            Problem(
                severity=severity,
                kind=kind,
                message=message,
                place=self.entry.place(*steps, value=True),
                subject=f"{self.entry.subject}.{option}",
                suggestion=suggestion,
            )
        )


_SUITES: dict[str, str | None] = {
    **{name: name for name in (*tls_names.SUITES_13, *tls_names.SUITES_12)},
    **tls_names.SUITE_ALIASES,
    **dict.fromkeys(tls_names.MISSING_SUITES),
}


def _or(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"
