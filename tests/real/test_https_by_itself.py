"""The user's production file against a real authority: https by itself, seen from outside (seed/traefik-prod.toml)."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.daemun import ControlPlane, Instance
from tests.kit.pebble import Pebble
from tests.kit.secured import shown
from tests.kit.uvicorn import Uvicorn
from tests.kit.waiting import until
from tests.kit.wire import Client

SEED = Path(__file__).parents[1] / "seed"
#: The seed's handler, word for word, in an application.
APPLICATION = "from fastapi import FastAPI, Request\n\napp = FastAPI()\n\n" + (SEED / "client_info.py").read_text()
NAME = "fastapi.example.test"
ROUTES = """
http:
  routers:
    fastapi:
      rule: Host(`{name}`)
      service: fastapi
{more}
  services:
    fastapi: {{loadBalancer: {{servers: [{{url: "http://{origin}"}}]}}}}
"""


def production(instance: Instance, ca: Pebble, *, challenge: str = "http") -> str:
    """The seed's file with addresses, `caServer`, `caCertificates` and the storage path changed, and a provider added."""
    text = (SEED / "traefik-prod.toml").read_text()
    for before, after in (
        ('address = ":80"', f'address = "127.0.0.1:{ca.http_port}"'),
        ('address = ":443"', f'address = "127.0.0.1:{ca.tls_port}"'),
        (
            'storage = "acme.json"',
            f'storage = "{instance.path}/acme.json"\ncaServer = "{ca.directory}"\ncaCertificates = ["{ca.root}"]',
        ),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    if challenge == "tls":
        text = text.partition("[certificatesResolvers.letsencrypt.acme.httpChallenge]")[0]
        text += "[certificatesResolvers.letsencrypt.acme.tlsChallenge]\n"
    return f'{text}\n[providers.file]\nfilename = "{instance.path}/routes.yml"\n[log]\nlevel = "INFO"\n'


@contextlib.contextmanager
def running(ca: Pebble, *, challenge: str = "http", routes: str = "") -> Iterator[tuple[Instance, ControlPlane]]:
    """The seed's gate before a real uvicorn with the seed's handler."""
    with Instance() as instance, Uvicorn(APPLICATION) as app:
        instance.write("routes.yml", ROUTES.format(name=NAME, origin=app.address, more=routes))
        instance.write("traefik-prod.toml", production(instance, ca, challenge=challenge))
        yield instance, instance.run(config="traefik-prod.toml")


def trusting(ca: Pebble) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca.roots()[0])
    return context


def obtained(instance: Instance, ca: Pebble, name: str = NAME) -> Client:
    """A verified connection, as soon as there is one."""

    def connection() -> Client | None:
        try:
            return instance.secure(trusting(ca), name, "https")
        except ssl.SSLError:
            return None

    client = until(connection, what=f"a certificate of {name}", limit=60)
    assert client is not None
    return client


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
