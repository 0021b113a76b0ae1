"""What lists, inspect answers and events make of the known containers."""

from __future__ import annotations

from typing import Any

import pytest

from daemun.providers.docker.roster import Due, Roster

STARTED = "2026-01-01T00:00:10.5Z"
STARTED_NS = 1_767_225_610_500_000_000


def inspect(identity: str = "a", **config: Any) -> dict[str, Any]:
    """An inspect answer, as Docker writes it."""
    return {
        "Id": identity,
        "Name": f"/{identity}",
        "State": {"Status": "running", "Running": True, "StartedAt": STARTED},
        "Config": {"Labels": {"l": "1"}, "Env": ["SECRET=1"], **config},
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {
            "Networks": {"bridge": {"IPAddress": "10.0.0.2", "MacAddress": "x"}},
            "Ports": {"80/tcp": None},
        },
    }


def summary(identity: str, state: str = "running", **labels: str) -> dict[str, Any]:
    return {"Id": identity, "State": state, "Labels": labels}


def event(action: str, identity: str = "a", *, at: int = STARTED_NS + 1, **attributes: str) -> dict[str, Any]:
    return {
        "Type": "container",
        "Action": action,
        "Actor": {"ID": identity, "Attributes": attributes},
        "timeNano": at,
    }


def roster_of(*identities: str, **config: Any) -> Roster:
    """A roster that knows these containers."""
    roster = Roster()
    assert roster.listed([summary(one) for one in identities]) == list(identities)
    for one in identities:
        roster.inspected(one, inspect(one, **config))
    return roster


def test_only_what_may_have_changed_is_inspected() -> None:
    """A new container, one of which something was told, and all of them once a connection was lost."""
    roster = roster_of("a", "b")
    assert roster.listed([summary("a"), summary("b"), summary("c")]) == ["c"]
    roster.inspected("c", inspect("c"))
    roster.take(event("health_status: healthy", "b"), now=0)
    assert roster.listed([summary(one) for one in "abc"]) == ["b"]
    roster.forget()
    assert roster.listed([summary(one) for one in "abc"]) == ["a", "b", "c"]


def test_a_network_is_of_the_container_that_joined_it() -> None:
    """Its addresses are others then."""
    roster = roster_of("a", "b")
    joined = {"Type": "network", "Action": "connect", "Actor": {"ID": "n", "Attributes": {"container": "b"}}}
    assert roster.take(joined, now=0) is Due.SOON
    assert roster.listed([summary("a"), summary("b")]) == ["b"]
    assert roster.take({**joined, "Action": "create"}, now=0) is Due.NEVER


def test_the_networks_of_one_that_starts_or_ends_are_not_waited_for() -> None:
    """They are joined before `start` is told: a list would find nothing, and leave `start` to the throttle."""
    roster = roster_of("a")
    joined = {"Type": "network", "Action": "connect", "Actor": {"ID": "n", "Attributes": {"container": "new"}}}
    assert roster.take(joined, now=0) is Due.NEVER
    roster.take(event("die"), now=0)
    left = {**joined, "Action": "disconnect", "Actor": {"ID": "n", "Attributes": {"container": "a"}}}
    assert roster.take(left, now=0) is Due.LATER


def test_stopped_containers_are_not_asked_for() -> None:
    """But for those that want to be routed to all the same."""
    roster = Roster()
    listed = [summary("a", "exited"), summary("b", "exited", **{"Traefik.Docker.AllowNonRunning": "true"})]
    assert roster.listed(listed) == ["b"]


@pytest.mark.parametrize(
    ("action", "due"),
    [
        ("start", Due.SOON),
        ("unpause", Due.SOON),
        ("health_status: healthy", Due.SOON),
        ("health_status: unhealthy", Due.SOON),
        ("rename", Due.SOON),
        ("update", Due.SOON),
        ("die", Due.LATER),
        ("stop", Due.LATER),
        ("pause", Due.LATER),
        ("destroy", Due.LATER),
        ("kill", Due.NEVER),
        ("exec_create: sh", Due.NEVER),
        ("attach", Due.NEVER),
    ],
)
def test_what_is_due(action: str, due: Due) -> None:
    """What begins is listed as soon as the throttle lets it; what ends has drained already."""
    assert roster_of("a").take(event(action, signal="1"), now=0) is due


@pytest.mark.parametrize(
    ("signal", "drains"),
    [
        ("15", True),
        ("SIGTERM", True),
        ("9", True),
        ("2", True),
        ("3", True),
        ("19", True),
        ("1", False),
        ("SIGHUP", False),
        ("10", False),
        ("28", False),
        ("", False),
        ("99", False),
    ],
)
def test_only_a_signal_that_ends_a_container_drains_it(signal: str, *, drains: bool) -> None:
    """HUP, USR1 and WINCH are messages to a program that goes on."""
    roster = roster_of("a", "b")
    roster.take(event("kill", signal=signal), now=0)
    assert roster.draining == ({"a"} if drains else frozenset())


@pytest.mark.parametrize(("own", "signal"), [("SIGUSR1", "10"), ("SIGWINCH", "28"), ("SIGRTMIN+3", "37"), ("10", "10")])
def test_a_containers_own_stop_signal_drains_it(own: str, signal: str) -> None:
    """Whatever its image says `docker stop` sends."""
    roster = roster_of("a", StopSignal=own)
    roster.take(event("kill", signal="1"), now=0)
    assert not roster.draining
    roster.take(event("kill", signal=signal), now=0)
    assert roster.draining == {"a"}


@pytest.mark.parametrize("action", ["die", "stop", "pause", "destroy"])
def test_who_ends_drains_until_it_begins_again(action: str) -> None:
    """Its servers go at once, and come back with `start` or `unpause`."""
    roster = roster_of("a")
    roster.take(event(action), now=0)
    assert roster.draining == {"a"}
    roster.take(event("start"), now=0)
    assert not roster.draining


def test_what_was_told_before_it_was_started_is_of_the_past() -> None:
    """Events are told again after a connection was lost: an old `die` takes nothing from a container that runs."""
    roster = roster_of("a")
    roster.take(event("die", at=STARTED_NS - 1), now=0)
    assert not roster.draining
    roster.take(event("die", at=STARTED_NS), now=0)
    assert roster.draining == {"a"}


def test_who_was_started_again_unseen_drains_no_more() -> None:
    """Its `start` was told while the connection was lost."""
    roster = roster_of("a")
    roster.take(event("die"), now=0)
    later = inspect("a")
    later["State"]["StartedAt"] = "2026-01-01T00:00:11Z"
    roster.inspected("a", inspect("a"))
    assert roster.draining == {"a"}
    roster.inspected("a", later)
    assert not roster.draining


def test_a_container_that_lives_on_gets_requests_again() -> None:
    """Five seconds beyond its stop timeout, when SIGKILL would have come."""
    roster = roster_of("a", StopTimeout=30)
    roster.take(event("kill", signal="15"), now=100)
    assert roster.expires == 135
    assert not roster.expire(now=134.9)
    assert roster.draining == {"a"}
    assert roster.expire(now=135)
    assert not roster.draining
    assert roster.expires is None


def test_who_is_gone_drains_no_more() -> None:
    """A list without it is all that is needed."""
    roster = roster_of("a", "b")
    roster.take(event("die"), now=0)
    roster.listed([summary("b")])
    assert not roster.draining
    assert roster.expires is None
    assert [one.id for one in roster.containers] == ["b"]


def test_a_container_that_went_between_list_and_inspect() -> None:
    """It is left out."""
    roster = Roster()
    roster.listed([summary("a")])
    roster.inspected("a", None)
    assert roster.containers == ()


def test_what_is_kept_gives_the_same_containers() -> None:
    """And holds neither environment variables nor anything else that routing does not need."""
    roster = roster_of("a")
    again = Roster()
    again.listed([summary("a")])
    again.inspected("a", roster.raw[0])
    assert again.containers == roster.containers
    assert "SECRET" not in str(roster.raw)


@pytest.mark.parametrize("odd", [{}, {"Type": "container"}, {"Type": "container", "Actor": None, "Action": 3}])
def test_odd_events_say_nothing(odd: dict[str, Any]) -> None:
    """Whatever an engine invents."""
    assert roster_of("a").take(odd, now=0) is Due.NEVER
