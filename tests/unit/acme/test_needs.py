"""What is to be ordered: wishes against what is there."""

from __future__ import annotations

from collections.abc import Collection

from daemun.acme.needs import Need, needs
from daemun.acme.resolver import Resolver, Wish, certificate_id
from daemun.acme.store import Stored
from daemun.certificates.material import parse
from daemun.errors import Problem
from daemun.plan.origin import Origin
from tests.kit.authority import Authority

CA = Authority()
LE = Resolver(name="le", ca_server="https://ca.example/dir", storage="acme.json", http_entry_point="web")
OTHER = Resolver(name="other", ca_server="https://other.example/dir", storage="acme.json", tls_challenge=True)


def stored(*names: str, resolver: str = "le", days: float = 60) -> Stored:
    issued = CA.issue(*names, days=days)
    return Stored(resolver=resolver, names=names, material=parse(issued.chain, issued.key))


def wish(*names: str, resolver: str = "le", line: int = 1) -> Wish:
    return Wish(resolver=resolver, names=names, origin=Origin(name="web@file", file="d.yml", line=line))


def found(
    *wishes: Wish,
    there: Collection[Stored] = (),
    covered: Collection[str] = (),
    resolvers: Collection[Resolver] = (LE, OTHER),
) -> tuple[list[Need], list[Problem]]:
    by_resolver: dict[str, list[Stored]] = {}
    for one in there:
        by_resolver.setdefault(one.resolver, []).append(one)
    return needs({one.name: one for one in resolvers}, wishes, covered=covered, stored=by_resolver)


def sets(
    *wishes: Wish, there: Collection[Stored] = (), covered: Collection[str] = ()
) -> list[tuple[tuple[str, ...], bool]]:
    """The names of each need, and whether a certificate is there."""
    return [(need.names, need.current is not None) for need in found(*wishes, there=there, covered=covered)[0]]


def test_one_order_for_each_set() -> None:
    """Each wish is a set, in its own order; the same set is ordered once, a name that two want in the larger one."""
    assert sets(wish("b.com", "a.com"), wish("c.com"), wish("c.com")) == [
        (("b.com", "a.com"), False),
        (("c.com",), False),
    ]
    assert sets(wish("a.com"), wish("a.com", "b.com")) == [(("a.com", "b.com"), False)]
    assert sets(wish("A.com.", "a.com")) == [(("a.com",), False)]


def test_covered_elsewhere() -> None:
    """Names that other certificates serve, themselves or by wildcard, are left out."""
    assert sets(wish("a.com", "x.b.com", "c.com"), covered={"a.com", "*.b.com"}) == [(("c.com",), False)]
    assert sets(wish("a.com"), covered={"a.com"}) == []


def test_stored_certificate_serves() -> None:
    """A stored certificate that has the name is the one to renew, with the names that are wanted of it, in its order."""
    assert sets(wish("a.com"), there=[stored("a.com")]) == [(("a.com",), True)]
    assert sets(wish("a.com"), wish("b.com"), there=[stored("b.com", "a.com")]) == [(("b.com", "a.com"), True)]
    assert sets(wish("a.com"), there=[stored("b.com", "a.com")]) == [(("a.com",), True)]
    assert sets(wish("a.com", "new.com"), there=[stored("a.com")]) == [(("a.com",), True), (("new.com",), False)]


def test_stored_wildcard_serves() -> None:
    """A wildcard of an older acme.json serves its names; renewed are the names themselves, for which no DNS is needed."""
    assert sets(wish("a.x.com"), wish("b.x.com"), there=[stored("*.x.com")]) == [(("a.x.com", "b.x.com"), True)]


def test_the_longest_lasting() -> None:
    """Of several stored certificates with a name the one that lasts longest serves it."""
    there = [stored("a.com", days=5), stored("a.com", "b.com", days=50), stored("a.com", "c.com", days=20)]
    (need,) = found(wish("a.com"), there=there)[0]
    assert need.current is not None
    assert need.current.names == ("a.com", "b.com")


def test_resolvers_are_apart() -> None:
    """What one resolver has obtained is nothing to another."""
    both = found(wish("a.com"), wish("a.com", resolver="other"), there=[stored("a.com")])[0]
    assert [(need.resolver, need.current is not None) for need in both] == [("le", True), ("other", False)]


def test_wildcard_is_not_yet() -> None:
    """A wildcard needs DNS-01: said with its place and a way out; the other names of the wish are ordered."""
    ordered, problems = found(wish("*.x.com", "x.com", line=9))
    assert [need.names for need in ordered] == [("x.com",)]
    (problem,) = problems
    assert (problem.kind, problem.severity) == ("not_yet", "error")
    assert "DNS-01" in problem.message
    assert str(problem.place) == "d.yml:9"
    assert problem.remedy
    there = stored("*.x.com")
    _, (problem,) = found(wish("*.x.com"), there=[there])
    assert f"served until {there.material.not_after:%Y-%m-%d}" in problem.message


def test_names_that_cannot_be() -> None:
    """A name that no authority signs is said, and not ordered."""
    ordered, problems = found(wish("localhost", "a.com"))
    assert [need.names for need in ordered] == [("a.com",)]
    assert "no public authority signs" in problems[0].message


def test_unknown_resolver() -> None:
    """A wish for a resolver that is not there, or that cannot prove anything, is a problem once."""
    mute = Resolver(name="mute", ca_server="https://ca.example/dir", storage="acme.json")
    wishes = [wish("a.com", resolver="gone"), wish("b.com", resolver="gone"), wish("c.com", resolver="mute")]
    ordered, problems = found(*wishes, resolvers=[LE, mute])
    assert ordered == []
    assert [problem.kind for problem in problems] == ["reference", "missing"]
    assert "httpChallenge.entryPoint, or tlsChallenge" in problems[1].remedy


def test_many_names_are_quick() -> None:
    """Ten thousand wishes against as many names are matched by look-up, not each with each."""
    one = stored("x.com")
    wishes = [wish(f"n{number}.com") for number in range(10_000)]
    assert len(found(*wishes, there=[one])[0]) == 10_000


def test_ids() -> None:
    """An id does not depend on the order of the further names, and a single name is readable in it."""
    assert certificate_id("le", ("a.com",)) == "acme:le:a.com"
    one, two = certificate_id("le", ("a.com", "b.com", "c.com")), certificate_id("le", ("a.com", "c.com", "b.com"))
    assert one == two != certificate_id("le", ("a.com", "b.com"))
    assert one.startswith("acme:le:a.com+")
