"""Containers of a real Docker engine, followed: they come and go, the engine goes and comes back, nothing is polled."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.kit.daemun import ControlPlane, Instance
from tests.kit.docker import Container, Docker, in_chroot
from tests.kit.recorder import Recorder
from tests.kit.waiting import until

STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[log]
level = "DEBUG"
[providers]
providersThrottleDuration = "{throttle}"
[providers.docker]
endpoint = "{endpoint}"
{more}
"""
STUBBORN = 'echo "$NAME" >/www/index.html; exec httpd -f -p 80 -h /www'  # PID 1 hears no signal it does not ask for
WEB = {"traefik.http.routers.web.rule": "PathPrefix(`/`)", "traefik.http.services.web.loadbalancer.server.port": "80"}


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance() as instance:
        yield instance


def follow(instance: Instance, endpoint: str, *, throttle: str = "50ms", more: str = "") -> ControlPlane:
    """Run Daemun on an engine."""
    instance.write("daemun.toml", STATIC.format(endpoint=endpoint, throttle=throttle, more=more))
    return instance.run()


def ask(instance: Instance, path: str = "/") -> tuple[int, bytes]:
    """Status and body of one GET."""
    response = instance.get(path)
    return response.status, response.body


def served_by(instance: Instance, *names: str) -> None:
    """Wait until exactly these containers answer."""
    wanted = {f"{name}\n".encode() for name in names}
    count = 2 * len(names) + 1
    until(
        lambda: {ask(instance) for _ in range(count)} == {(200, body) for body in wanted},
        what=f"answers of {', '.join(names)}",
    )


def endpoints(instance: Instance, service: str = "web@docker") -> set[str]:
    """Where the engine sends requests of a service."""
    with instance.control() as control:
        return {one["address"] for one in control.call("stats")["services"].get(service, [])}


def address(container: Container) -> str:
    return f"{container.address()}:80"


def test_containers_come_and_go(docker: Docker, instance: Instance) -> None:
    """One, two, one, none; of a service's endpoints no Plan is made."""
    follow(instance, docker.host)
    assert ask(instance)[0] == 404
    one = docker.run(name="one", labels=WEB)
    served_by(instance, "one")
    with instance.control() as control:
        applied = control.call("stats")["applied"]
    two = docker.run(name="two", labels=WEB)
    served_by(instance, "one", "two")
    one.stop(grace=0)
    served_by(instance, "two")
    with instance.control() as control:
        assert control.call("stats")["applied"] == applied
    two.remove()
    until(lambda: ask(instance)[0] == 404, what="the router's end")


def test_who_is_hidden_is_named_with_the_missing_label(docker: Docker, instance: Instance) -> None:
    """exposedByDefault = false: as in the user's development file."""
    plane = follow(instance, docker.host, more="exposedByDefault = false")
    hidden = docker.run(name="hidden", labels=WEB)
    until(lambda: "traefik.enable=true" in plane.log, what="the missing label in the log")
    assert "container hidden" in plane.log
    assert ask(instance)[0] == 404
    hidden.remove()
    docker.run(name="shown", labels={**WEB, "traefik.enable": "true"})
    served_by(instance, "shown")


def test_a_stop_signal_takes_the_endpoint_away_at_once(docker: Docker, instance: Instance) -> None:
    """While the container lives on, and without a list, for which the throttle leaves no time; HUP takes nothing away."""
    one, two = (docker.run(command=["sh", "-c", STUBBORN], name=name, labels=WEB) for name in ("one", "two"))
    with Recorder(docker.socket) as recorder:
        follow(instance, recorder.endpoint, throttle="1h")
        served_by(instance, "one", "two")
        one.kill("HUP")
        two.kill("TERM")
        until(lambda: endpoints(instance) == {address(one)}, what="the drain of two")
        assert two.running
        served_by(instance, "one")
        assert count_lists(recorder) == 1


def test_who_ends_while_nobody_listens_drains_too(docker: Docker, instance: Instance) -> None:
    """The control plane was killed in the midst of a deployment: the next one hears of the stop signal all the same."""
    one, two = (docker.run(command=["sh", "-c", STUBBORN], name=name, labels=WEB) for name in ("one", "two"))
    follow(instance, docker.host, throttle="1h").kill()
    two.kill("TERM")
    instance.run()
    until(lambda: endpoints(instance) == {address(one)}, what="the drain of two")


def test_who_lives_on_gets_requests_again(docker: Docker, instance: Instance) -> None:
    """A signal that was handled, five seconds beyond the stop timeout, when SIGKILL would have come."""
    one = docker.run(command=["sh", "-c", STUBBORN], name="one", labels=WEB, more={"StopTimeout": 0})
    follow(instance, docker.host)
    served_by(instance, "one")
    one.kill("TERM")
    until(lambda: not endpoints(instance), what="the drain")
    served_by_after = until(lambda: endpoints(instance), what="its endpoint again")
    assert served_by_after == {address(one)}
    served_by(instance, "one")


def test_who_is_started_again_is_back(docker: Docker, instance: Instance) -> None:
    """At its new address, if it has another one."""
    docker.run(name="one", labels=WEB)
    two = docker.run(name="two", labels=WEB)
    follow(instance, docker.host)
    for _ in range(3):
        served_by(instance, "one", "two")
        two.kill()
        until(lambda: len(endpoints(instance)) == 1, what="the drain of two")
        two.start()
    served_by(instance, "one", "two")


def test_the_last_one_answers_503_until_the_list(docker: Docker, instance: Instance) -> None:
    """Its service has no server any more; the router goes with the next list, once the throttle's time is over."""
    one = docker.run(name="one", labels=WEB)
    follow(instance, docker.host, throttle="3s")
    served_by(instance, "one")
    one.kill()
    until(lambda: ask(instance)[0] == 503, what="no server")
    until(lambda: ask(instance)[0] == 404, what="no router")


@pytest.mark.xfail(in_chroot(), reason="in a chroot `docker exec` and health checks see the machine's root")
def test_a_container_is_served_when_it_is_healthy(docker: Docker, instance: Instance) -> None:
    """Not before, and no longer."""
    health = {"Test": ["CMD", "test", "-e", "/www/well"], "Interval": 200_000_000, "Retries": 1, "Timeout": 10**10}
    traps = "trap 'touch /www/well' HUP; trap 'rm /www/well' USR2"
    serves = 'echo "$NAME" >/www/index.html; httpd -p 80 -h /www; while :; do sleep 1; done'
    one = docker.run(command=["sh", "-c", f"{traps}; {serves}"], name="one", labels=WEB, health=health)
    plane = follow(instance, docker.host)
    until(lambda: "is not routed to while its health is" in plane.log, what="the reason in the log")
    assert ask(instance)[0] == 404
    one.kill("HUP")
    served_by(instance, "one")
    one.kill("USR2")
    until(lambda: ask(instance)[0] == 404, what="the end of an unhealthy one")


def test_the_throttle(docker: Docker, instance: Instance) -> None:
    """The first change is taken at once, what comes soon after it together."""
    with Recorder(docker.socket) as recorder:
        follow(instance, recorder.endpoint, throttle="2s")
        docker.run(name="first", labels=WEB)
        served_by(instance, "first")
        lists, begun = count_lists(recorder), time.monotonic()
        for number in range(4):
            docker.run(name=f"n{number}", labels=WEB)
        served_by(instance, "first", "n0", "n1", "n2", "n3")
        assert count_lists(recorder) - lists <= (time.monotonic() - begun) / 2 + 1


def test_only_get_is_ever_sent(docker: Docker, instance: Instance) -> None:
    """Whatever happens: a proxy that lets through nothing else suffices."""
    with Recorder(docker.socket) as recorder:
        plane = follow(instance, recorder.endpoint)
        one = docker.run(name="one", labels=WEB)
        served_by(instance, "one")
        recorder.cut()
        docker.network("other")
        two = docker.run(name="two", labels=WEB, networks=["other"])
        served_by(instance, "one", "two")
        one.restart(grace=0)
        two.rename("three")
        two.kill("HUP")
        two.stop(grace=0)
        served_by(instance, "one")
        assert plane.stop() == 0
        assert {method for method, _ in recorder.requests} == {"GET"}
        assert {target.partition("?")[0].split("/")[2] for _, target in recorder.requests} == {
            "version",
            "events",
            "containers",
        }
        assert not any(
            b"content-length" in head.lower() or b"transfer-encoding" in head.lower() for head in recorder.heads
        )


def test_a_connection_that_is_cut(docker: Docker, instance: Instance) -> None:
    """What is known keeps serving; what happened meanwhile is seen when it is found again."""
    docker.run(name="one", labels=WEB)
    with Recorder(docker.socket) as recorder:
        plane = follow(instance, recorder.endpoint)
        served_by(instance, "one")
        recorder.path.rename(recorder.path.with_name("away"))
        recorder.cut()
        until(lambda: "is lost" in plane.log, what="the loss in the log")
        docker.run(name="two", labels=WEB)
        assert {ask(instance) for _ in range(4)} == {(200, b"one\n")}
        recorder.path.with_name("away").rename(recorder.path)
        served_by(instance, "one", "two")
        assert "is found again" in plane.log


def test_the_engine_is_restarted(instance: Instance) -> None:
    """Its containers go on, and are served all the while; afterwards all is as if nothing had been."""
    with Docker(live_restore=True) as docker:
        one = docker.run(name="one", labels=WEB)
        plane = follow(instance, docker.host)
        served_by(instance, "one")
        docker.crash()
        until(lambda: "is lost" in plane.log, what="the loss in the log")
        assert ask(instance) == (200, b"one\n")
        docker.start()
        until(lambda: "is found again" in plane.log, what="the engine in the log")
        assert ask(instance) == (200, b"one\n")
        docker.run(name="two", labels=WEB)
        served_by(instance, "one", "two")
        one.stop(grace=0)
        served_by(instance, "two")


def test_the_control_plane_is_restarted_while_the_engine_is_away(instance: Instance) -> None:
    """The last known configuration keeps serving, whatever else changes in the meantime."""
    with Docker(live_restore=True) as docker:
        docker.run(name="one", labels=WEB)
        plane = follow(instance, docker.host)
        served_by(instance, "one")
        docker.crash()
        plane.kill()
        assert ask(instance) == (200, b"one\n")
        plane = instance.run()
        assert "believed to have" in plane.log
        assert ask(instance) == (200, b"one\n")
        # Something else changes: a Plan is made of what is known.
        more = 'exposedByDefault = true\n[ping]\nentryPoint = "web"\n'
        instance.write("daemun.toml", STATIC.format(endpoint=docker.host, throttle="50ms", more=more))
        until(lambda: ask(instance, "/ping") == (200, b"OK"), what="the new Plan")
        assert ask(instance) == (200, b"one\n")
        docker.start()
        docker.run(name="two", labels=WEB)
        served_by(instance, "one", "two")


def test_an_engine_that_is_away_at_the_start(docker: Docker, instance: Instance) -> None:
    """Nobody waits for it: a file is served, and the log says why nothing else is."""
    recorder = Recorder(docker.socket)
    with recorder:
        hidden = recorder.path.with_name("away")
        recorder.path.rename(hidden)
        instance.write("d.toml", '[http.routers.f]\nrule = "Path(`/f`)"\npriority = 99\nservice = "noop@internal"\n')
        plane = follow(instance, recorder.endpoint, more='[providers.file]\nfilename = "d.toml"')
        assert ask(instance, "/f")[0] == 418
        assert "No such file or directory" in plane.log
        assert "mount it into the container" in plane.log
        docker.run(name="one", labels=WEB)
        hidden.rename(recorder.path)
        served_by(instance, "one")
        assert ask(instance, "/f")[0] == 418


def test_two_engines(docker: Docker, instance: Instance) -> None:
    """Each has its name; one that is away takes nothing from the other."""
    with Docker() as other:
        follow(instance, docker.host, more=f'[providers.docker.engines.west]\nendpoint = "{other.host}"')
        docker.run(name="one", labels=WEB)
        served_by(instance, "one")
        west = other.run(name="two", labels={"traefik.http.routers.web.rule": "Path(`/`) && Method(`GET`)"})
        served_by(instance, "two")
        assert endpoints(instance, "two@docker-west") == {address(west)}
        other.stop()
        assert endpoints(instance) != set()
        docker.run(name="three", labels=WEB)
        until(lambda: len(endpoints(instance)) == 2, what="three")


def test_without_events(docker: Docker, instance: Instance) -> None:
    """A socket proxy that lets no events through is complained about once, and the containers are seen now and then."""
    docker.run(name="one", labels=WEB)
    with Recorder(docker.socket, refuses=b"/events") as recorder:
        plane = follow(instance, recorder.endpoint)
        served_by(instance, "one")
        docker.run(name="two", labels=WEB)
        served_by(instance, "one", "two")
        assert plane.log.count("must let through GET of /version, /containers and /events") == 1


def test_without_watch(docker: Docker, instance: Instance) -> None:
    """What there is at the start is all there ever will be."""
    docker.run(name="one", labels=WEB)
    with Recorder(docker.socket) as recorder:
        follow(instance, recorder.endpoint, more="watch = false")
        served_by(instance, "one")
        assert not any("/events" in target for _, target in recorder.requests)


def count_lists(recorder: Recorder) -> int:
    """How often all containers were asked for."""
    return sum("/containers/json" in target for _, target in recorder.requests)
