"""When what failed is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from daemun.acme.backoff import at_start, failed
from daemun.acme.journal import Failure
from daemun.acme.refusal import Refusal, refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CA = "https://ca.example/dir"


def pauses(refused: Refusal, count: int, *, left: timedelta | None = None, drawn: float = 0.0) -> list[timedelta]:
    """How long is waited after each of so many failures in a row."""
    found: list[timedelta] = []
    before: Failure | None = None
    for _ in range(count):
        before = failed(refused, ca_server=CA, before=before, now=NOW, left=left, draw=lambda: drawn)
        found.append(before.next - NOW)
    return found


def test_ever_later_and_not_for_ever() -> None:
    """Minutes first, hours at last: four tries in the first hour, as Let's Encrypt's limit of five allows."""
    found = [round(pause / timedelta(minutes=1)) for pause in pauses(refusal("dns", "x"), 40)]
    assert found[:6] == [1, 4, 16, 64, 256, 360]
    assert set(found[6:]) == {360}


def test_an_authority_out_of_reach_is_tried_sooner() -> None:
    """What is not the user's to mend is tried after seconds, at most every half hour."""
    found = [pause.total_seconds() for pause in pauses(refusal("unreachable", "x"), 30)]
    assert found[:4] == [15, 30, 60, 120]
    assert found[-1] == 1800


def test_jitter() -> None:
    """Chance makes a pause up to a fifth longer, never shorter."""
    assert pauses(refusal("dns", "x"), 2, drawn=1.0) == [timedelta(seconds=72), timedelta(seconds=288)]


def test_what_the_authority_says_comes_first() -> None:
    """Not before Retry-After; an hour after a rate limit that says nothing; never more than a week."""
    stated = refusal("rateLimited", "x", retry_at=NOW + timedelta(hours=9))
    assert pauses(stated, 1) == [timedelta(hours=9)]
    assert pauses(refusal("rateLimited", "x"), 1) == [timedelta(hours=1)]
    assert pauses(refusal("dns", "x", retry_at=NOW + timedelta(seconds=1)), 1) == [timedelta(minutes=1)]
    assert pauses(refusal("rateLimited", "x", retry_at=NOW + timedelta(days=99)), 1) == [timedelta(days=7)]


def test_near_the_end() -> None:
    """A certificate that soon ends is tried for more often: after a tenth of what it has left, but not at once."""
    refused = refusal("dns", "x")
    assert pauses(refused, 6, left=timedelta(hours=10))[-1] == timedelta(hours=1)
    assert pauses(refused, 6, left=timedelta(minutes=2))[-1] == timedelta(minutes=1)
    assert pauses(refused, 6, left=timedelta(0))[-1] == timedelta(minutes=1)
    assert pauses(refused, 6, left=timedelta(days=80))[-1] == timedelta(hours=6)


def test_another_authority_begins_anew() -> None:
    """What failed with the authority before does not count against another."""
    one = failed(refusal("dns", "x"), ca_server=CA, before=None, now=NOW, left=None, draw=lambda: 0.0)
    other = failed(refusal("dns", "x"), ca_server="https://b.example", before=one, now=NOW, left=None, draw=lambda: 0.0)
    assert (one.count, other.count) == (1, 1)


def test_a_restart() -> None:
    """A new process tries within a quarter of an hour of the last try, but not before the authority allows."""
    late = Failure(ca_server=CA, count=9, at=NOW, next=NOW + timedelta(hours=6), kind="dns", message="", advice="")
    assert at_start(late).next == NOW + timedelta(minutes=15)
    bound = failed(
        refusal("rateLimited", "x", retry_at=NOW + timedelta(hours=3)),
        ca_server=CA,
        before=late,
        now=NOW,
        left=None,
        draw=lambda: 0.0,
    )
    assert bound.next == NOW + timedelta(hours=6), "its own pause is the longer one"
    assert at_start(bound).next == NOW + timedelta(hours=3)
