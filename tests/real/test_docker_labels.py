"""Labels of real containers become routes: they appear, change and vanish, and mistakes cost only what they stand on."""

from __future__ import annotations

import pytest

from tests.kit.docker import Docker
from tests.kit.docker_gate import docker_gate, rule


def test_labels_appear_change_and_vanish(docker: Docker) -> None:
    """A container is served when it starts; made anew with another rule it has that; stopped and removed it has none."""
    with docker_gate(docker) as gate:
        gate.hidden("one.example")
        web = docker.run(name="web", labels=rule("one.example"))
        assert gate.served("one.example") == "web"
        web.remove()
        gate.hidden("one.example")
        docker.run(name="web", labels=rule("two.example"))
        assert gate.served("two.example") == "web"
        gate.hidden("one.example")
        docker.containers()[0].stop()
        gate.hidden("two.example")
        docker.containers()[0].start()
        assert gate.served("two.example") == "web"


def test_a_container_that_runs_before_is_served(docker: Docker) -> None:
    """Whoever runs already when Daemun starts is in its first Plan."""
    docker.run(name="web", labels=rule("one.example"))
    with docker_gate(docker) as gate:
        assert gate.get("one.example").text == "web\n"


@pytest.mark.parametrize("exposed", [True, False])
def test_exposed_by_default(docker: Docker, *, exposed: bool) -> None:
    """Without `exposedByDefault` a container needs `traefik.enable=true`, and log and API say so; with it, `false` hides one."""
    with docker_gate(docker, f"exposedByDefault = {str(exposed).lower()}") as gate:
        docker.run(name="silent", labels=rule("silent.example", router="silent"))
        docker.run(name="on", labels=rule("on.example", router="on", more={"traefik.enable": "true"}))
        docker.run(name="off", labels=rule("off.example", router="off", more={"traefik.enable": "false"}))
        assert gate.served("on.example") == "on"
        gate.hidden("off.example")
        if exposed:
            assert gate.served("silent.example") == "silent"
        else:
            gate.hidden("silent.example")
            gate.said("silent", "traefik.enable=true")


def test_the_default_rule(docker: Docker) -> None:
    """A container without a router gets one by the default rule: its name, as Traefik's template makes it."""
    with docker_gate(docker, """defaultRule = "Host(`{{ normalize .Name }}.example`)" """) as gate:
        docker.run(name="web_app", labels={"traefik.enable": "true"})
        assert gate.served("web-app.example") == "web_app"
        compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": "cart"}
        docker.run(name="shop_cart_1", labels=compose)
        assert gate.served("cart-shop.example") == "shop_cart_1"


def test_the_default_rule_is_the_name(docker: Docker) -> None:
    """Without `defaultRule` the host is the container's normalised name."""
    with docker_gate(docker) as gate:
        docker.run(name="my_app")
        assert gate.served("my-app") == "my_app"


def test_wrong_labels_cost_only_their_router(docker: Docker) -> None:
    """A mistyped label is said with its container and the nearest name; the container's other router works, as do others."""
    with docker_gate(docker) as gate:
        labels = {
            **rule("good.example", router="good"),
            "traefik.http.routers.good.service": "main",
            "traefik.http.routers.bad.rule": "Hst(`bad.example`)",
            "traefik.http.routers.bad.service": "main",
            "traefik.http.routers.odd.rul": "Host(`odd.example`)",
            "traefik.http.services.main.loadbalancer.server.port": "80",
        }
        docker.run(name="typist", labels=labels)
        docker.run(name="other", labels=rule("other.example", router="other"))
        assert gate.served("good.example") == "typist"
        assert gate.served("other.example") == "other"
        gate.hidden("bad.example")
        gate.hidden("odd.example")
        gate.said("typist", "traefik.http.routers.bad.rule", "Hst")
        gate.said("typist", "traefik.http.routers.odd.rul", "rule")


def test_labels_know_no_case(docker: Docker) -> None:
    """The names of options are read whatever their case; those of routers and middlewares keep theirs."""
    with docker_gate(docker) as gate:
        labels = {
            "Traefik.HTTP.Routers.app.RULE": "Host(`app.example`)",
            "traefik.http.routers.app.middlewares": "tell",
            "traefik.http.middlewares.tell.headers.customResponseHeaders.X-Told": "yes",
        }
        docker.run(name="web", labels=labels)
        gate.served("app.example", by="web")
        assert gate.get("app.example").get("x-told") == "yes"


def test_two_networks(docker: Docker) -> None:
    """On two networks a container is reached in the one that its label names, or the provider's option."""
    front, back = docker.network("front"), docker.network("back")
    with docker_gate(docker, f'network = "{back}"') as gate:
        labels = rule("named.example", router="named", more={"traefik.docker.network": front})
        named = docker.run(name="named", labels=labels, network=back, networks=[front])
        given = docker.run(name="given", labels=rule("given.example", router="given"), network=front, networks=[back])
        gate.served("named.example", by="named")
        gate.served("given.example", by="given")
        with gate.instance.control() as control:
            services = control.call("stats")["services"]
        addresses = {one["address"] for endpoints in services.values() for one in endpoints}
        assert {f"{named.address(front)}:80", f"{given.address(back)}:80"} <= addresses
        assert not {f"{named.address(back)}:80", f"{given.address(front)}:80"} & addresses


def test_the_port(docker: Docker) -> None:
    """The port is the label's; else the lowest that is exposed; without any the container is not served, which is said."""
    serve = "mkdir /www/{0}; echo {0} >/www/{0}/index.html; httpd -f -p {0} -h /www/{0} & "
    command = ["/bin/sh", "-c", 'trap "exit 0" TERM; ' + serve.format(9000) + serve.format(10000) + "wait"]
    with docker_gate(docker) as gate:
        docker.run(
            command=command, name="low", labels=rule("low.example", router="low"), expose=["10000/tcp", "9000/tcp"]
        )
        label = {"traefik.http.services.said.loadbalancer.server.port": "10000"}
        docker.run(command=command, name="said", labels=rule("said.example", router="said", more=label))
        gate.said("containers found", "said@docker")
        assert gate.served("said.example") == "10000"
        # The image exposes 80, which is lower, and where nobody listens.
        assert gate.get("low.example").status == 502
