"""The user's production file against a real authority: https by itself, seen from outside (seed/traefik-prod.toml)."""

from __future__ import annotations

import contextlib
import json
import ssl

import pytest

from tests.kit.pebble import Pebble
from tests.kit.production import NAME, obtained, running, trusting
from tests.kit.secured import shown
from tests.kit.waiting import until
from tests.kit.wire import Client


@pytest.mark.parametrize("challenge", ["http", "tls"])
def test_the_seed_as_it_stands(challenge: str) -> None:
    """80 to 443 (301 for GET, 308 for POST), a certificate by itself, and FastAPI answers that the client came over https."""
    with Pebble() as ca, running(ca, challenge=challenge) as (instance, _):
        with obtained(instance, ca) as client:
            response = client.request("GET", "/client-info", host=NAME)
            assert response.status == 200
            assert json.loads(response.body) == {"ip": "127.0.0.1", "protocol": "https"}
        with Client(instance.address("http")) as plain:
            got = plain.request("GET", "/client-info?a=b", host=NAME)
            port = "" if ca.tls_port == 443 else f":{ca.tls_port}"
            assert (got.status, got.get("location")) == (301, f"https://{NAME}{port}/client-info?a=b")
            posted = plain.request("POST", "/client-info", host=NAME, body=b"x")
            assert posted.status == 308
            # The answers to challenges win over the redirection.
            status = plain.request("GET", "/.well-known/acme-challenge/nothing", host=NAME).status
            assert status == (404 if challenge == "http" else 301)
        stored = json.loads((instance.path / "acme.json").read_text())
        assert stored["letsencrypt"]["Certificates"][0]["domain"] == {"main": NAME}
        assert (instance.path / "acme.json").stat().st_mode & 0o777 == 0o600


def test_a_restart_orders_nothing() -> None:
    """What is stored is shown at once after a restart of both processes; the authority hears nothing of it."""
    with Pebble() as ca, running(ca) as (instance, plane):
        with obtained(instance, ca) as client:
            serial = shown(client)
        orders = ca.said("There are now")
        assert plane.stop() == 0
        instance.run(config="traefik-prod.toml")
        with instance.secure(trusting(ca), NAME, "https") as client:
            assert shown(client) == serial
        assert ca.said("There are now") == orders


def test_an_authority_that_is_down() -> None:
    """The gate serves with its own certificate meanwhile, and obtains one when the authority is back."""
    with Pebble() as ca, contextlib.ExitStack() as stack:
        ca.stop()
        instance, plane = stack.enter_context(running(ca))
        until(lambda: "cannot be reached" in plane.log, what="the log to say so")
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        with instance.secure(unverified, NAME, "https") as client:
            assert client.request("GET", "/client-info", host=NAME).status == 200
        ca.start()
        assert plane.stop() == 0
        instance.run(config="traefik-prod.toml")
        with obtained(instance, ca) as client:
            assert client.request("GET", "/client-info", host=NAME).status == 200


def test_a_name_that_comes_later() -> None:
    """A router added to the running gate gets its certificate without a restart; who is connected notices nothing."""
    with Pebble() as ca, running(ca) as (instance, _), obtained(instance, ca) as before:
        routes = (instance.path / "routes.yml").read_text()
        more = "    later: {rule: 'Host(`later.example.test`)', service: fastapi}\n"
        instance.write("routes.yml", routes.replace("  services:\n", f"{more}  services:\n"))
        with obtained(instance, ca, "later.example.test") as client:
            assert client.request("GET", "/client-info", host="later.example.test").status == 200
        assert before.request("GET", "/client-info", host=NAME).status == 200
