"""What is to be ordered: wishes against what is there. Pure; nothing is asked of anybody here.

    wishes ─┐
    covered ├─► needs() ─► Need: a set of names with the certificate that serves it now, if any
    stored ─┘          └─► Problem: a wish that cannot be met, with its place

Decisions: a name that another certificate serves (`covered`, such as one from files) is not ordered, nor one that a
stored certificate of the same resolver serves, itself or by wildcard. That certificate is renewed with the names that
are still wanted of it: one that nobody wants is served until it ends, and not renewed. Resolvers are kept apart: what
one has obtained is nothing to another. Names that no stored certificate serves make one order for each wish.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from daemun.acme.names import is_wildcard, normal, why_not
from daemun.acme.resolver import Resolver, Wish, certificate_id
from daemun.acme.store import Stored
from daemun.config.local_names import coverers, is_covered
from daemun.errors import Place, Problem
from daemun.plan.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Names for which there shall always be one certificate of this resolver."""

    id: str
    resolver: str
    names: tuple[str, ...]
    origin: Origin
    current: Stored | None


def needs(
    resolvers: Mapping[str, Resolver],
    wishes: Sequence[Wish],
    *,
    covered: Container[str] = (),
    stored: Mapping[str, Sequence[Stored]],
) -> tuple[list[Need], list[Problem]]:
    """Return what there shall be, each set once, in the order of the wishes; and what cannot be."""
    problems: list[Problem] = []
    found: dict[str, Need] = {}
    for resolver in dict.fromkeys(wish.resolver for wish in wishes):
        own = [wish for wish in wishes if wish.resolver == resolver]
        if (problem := _unfit(resolvers.get(resolver), own[0])) is not None:
            problems.append(problem)
            continue
        there = stored.get(resolver, ())
        allowed: dict[str, Origin] = {}
        groups: list[tuple[str, ...]] = []
        for wish in own:
            names = [name for name in map(normal, wish.names) if name and not is_covered(name, covered)]
            good = tuple(name for name in dict.fromkeys(names) if _may(name, wish, there, problems))
            for name in good:
                allowed.setdefault(name, wish.origin)
            groups.append(good)
        for need in _sets(resolver, groups, allowed, there):
            found.setdefault(need.id, need)
    return list(found.values()), list(dict.fromkeys(problems))


def by_name(stored: Sequence[Stored]) -> dict[str, Stored]:
    """Return the stored certificates by each of their names; the one that lasts longest where there are several."""
    found: dict[str, Stored] = {}
    for one in stored:
        for name in one.material.names:
            other = found.get(name)
            if other is None or other.material.not_after < one.material.not_after:
                found[name] = one
    return found


def serving(name: str, index: Mapping[str, Stored]) -> Stored | None:
    """Return the stored certificate that serves a name longest, one with the very name before a wildcard."""
    able = [index[pattern] for pattern in coverers(name) if pattern in index]
    return max(able, key=lambda one: one.material.not_after, default=None)


def _sets(
    resolver: str, groups: Sequence[tuple[str, ...]], allowed: Mapping[str, Origin], stored: Sequence[Stored]
) -> list[Need]:
    kept: dict[tuple[str, ...], list[str]] = {}
    index = by_name(stored)
    holders: dict[tuple[str, ...], Stored] = {}
    fresh: set[str] = set()
    for name in allowed:
        current = serving(name, index)
        if current is None:
            fresh.add(name)
        else:
            holders[current.names] = current
            kept.setdefault(current.names, []).append(name)
    sets: list[tuple[tuple[str, ...], Stored | None]] = []
    for of, wanted in kept.items():
        # In the certificate's own order, so that the id stays.
        names = tuple(name for name in of if name in wanted) + tuple(name for name in wanted if name not in of)
        sets.append((names, holders[of]))
    for group in sorted(groups, key=len, reverse=True):
        rest = tuple(name for name in group if name in fresh)
        fresh -= set(rest)
        if rest:
            sets.append((rest, None))
    order = {name: place for place, name in enumerate(allowed)}
    return sorted(
        (
            Need(
                id=certificate_id(resolver, names),
                resolver=resolver,
                names=names,
                origin=allowed[names[0]],
                current=current,
            )
            for names, current in sets
        ),
        key=lambda need: min(order[name] for name in need.names),
    )


def _unfit(resolver: Resolver | None, wish: Wish) -> Problem | None:
    if resolver is None:
        return _problem(
            wish,
            kind="reference",
            message=f"there is no certificate resolver named {wish.resolver}",
            remedy="name one of certificatesResolvers, or add it there",
        )
    if resolver.http_entry_point is None and not resolver.tls_challenge:
        return _problem(
            wish,
            kind="missing",
            message=f"the certificate resolver {wish.resolver} has no way to prove names",
            remedy="set httpChallenge.entryPoint, or tlsChallenge",
        )
    return None


def _may(name: str, wish: Wish, stored: Sequence[Stored], problems: list[Problem]) -> bool:
    """Tell whether the name can be ordered; a wildcard that is there is served, and it is said that it ends."""
    if reason := why_not(name):
        problems.append(_problem(wish, kind="value", message=f"no certificate for {name}: {reason}"))
        return False
    if not is_wildcard(name):
        return True
    current = serving(name, by_name(stored))
    ends = "" if current is None else f"; the stored one is served until {current.material.not_after:%Y-%m-%d}"
    problems.append(
        _problem(
            wish,
            kind="not_yet",
            message=f"no certificate is ordered for {name}: a wildcard needs the DNS-01 challenge, "
            f"which this version does not have yet{ends}",
            remedy="name the hosts one by one, or give a certificate file (tls.certificates)",
        )
    )
    return False


def _problem(wish: Wish, *, kind: str, message: str, remedy: str = "") -> Problem:
    place = Place(file=wish.origin.file, line=wish.origin.line) if wish.origin.file else None
    return Problem(severity="error", kind=kind, message=message, place=place, subject=wish.origin.name, remedy=remedy)
