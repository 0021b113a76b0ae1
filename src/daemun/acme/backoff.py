"""When what failed is tried again: ever later, never together, never before the authority allows.

Facts: Let's Encrypt takes 5 failed validations of a name an hour. Decisions: what the user must mend is tried after
1, 4, 16, 64 minutes and so on, at most every 6 hours (4 tries in the first hour); an authority that cannot be reached
after 15, 30, 60 seconds and so on, at most every half hour; each with a fifth of chance more. A stated Retry-After, or an
hour for a rate limit that states none, comes first. Near a certificate's end the pause is at most a tenth of what is
left, and at least the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from daemun.acme.journal import Failure
from daemun.acme.refusal import Refusal

_MENDED = (timedelta(minutes=1), 4, timedelta(hours=6))
_REACHED = (timedelta(seconds=15), 2, timedelta(minutes=30))
_RATE_LIMITED = timedelta(hours=1)
_MOST_STATED = timedelta(days=7)
_AFTER_RESTART = timedelta(minutes=15)
_JITTER = 0.2


def failed(
    refusal: Refusal,
    *,
    ca_server: str,
    before: Failure | None,
    now: datetime,
    left: timedelta | None,
    draw: Callable[[], float],
) -> Failure:
    """Return the record of one more failure. `left` is how long the certificate in use still lives, if there is one."""
    same = before is not None and before.ca_server == ca_server
    count = before.count + 1 if same and before is not None else 1
    first, factor, most = _REACHED if refusal.is_ours_to_wait else _MENDED
    pause = min(first * factor ** min(count - 1, 20), most)
    if left is not None:
        pause = max(min(pause, left / 10), first)
    pause *= 1 + _JITTER * draw()
    stated = refusal.retry_at
    if stated is None and refusal.kind == "rateLimited":
        stated = now + _RATE_LIMITED * (1 + _JITTER * draw())
    if stated is not None:
        stated = min(stated, now + _MOST_STATED)
    return Failure(
        ca_server=ca_server,
        count=count,
        at=now,
        next=max(now + pause, stated or now),
        kind=refusal.kind,
        message=refusal.message,
        advice=refusal.advice,
        not_before=stated,
    )


def at_start(failure: Failure) -> Failure:
    """Return the record as a new process takes it: someone may have mended what was wrong, so it is tried soon.

    Not before a quarter of an hour after the last try, for the process may be restarted again and again.
    """
    soon = min(failure.next, failure.at + _AFTER_RESTART)
    return replace(failure, next=max(soon, failure.not_before or soon))
