"""The user's production file (seed/traefik-prod.toml) in use: a gate with a resolver, an application, an authority."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

from tests.kit.daemun import ControlPlane, Instance
from tests.kit.pebble import Pebble
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


def production(instance: Instance, ca: Pebble, *, challenge: str = "http", provider: str = "") -> str:
    """The seed's file with addresses, `caServer`, `caCertificates` and the storage path changed, and a provider added.

    It is the file provider where no other is given.
    """
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
    provider = provider or f'[providers.file]\nfilename = "{instance.path}/routes.yml"'
    return f'{text}\n{provider}\n[log]\nlevel = "INFO"\n'


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
