"""nginx.conf whose `listen ssl` names no certificate, against a real authority: https without certbot."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.kit.daemun import Instance
from tests.kit.nginx_command import Prefix
from tests.kit.origin import Origin, answering
from tests.kit.pebble import Pebble
from tests.kit.secured import shown
from tests.kit.waiting import until
from tests.kit.wire import Client

SEED = Path(__file__).parents[1] / "seed" / "nginx-light.conf"
NAME = "light.example.org"


def trusting(ca: Pebble) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca.roots()[0])
    return context


def obtained(ca: Pebble) -> Client:
    """A verified connection, as soon as there is one."""

    def connection() -> Client | None:
        client = Client(("127.0.0.1", ca.tls_port))
        try:
            client.secure(trusting(ca), NAME)
        except ssl.SSLError:
            client.close()
            return None
        return client

    client = until(connection, what=f"a certificate of {NAME}", limit=60)
    assert client is not None
    return client


def seed(ca: Pebble, *origins: Origin) -> str:
    text = SEED.read_text().replace("listen 443 ssl;", f"listen 127.0.0.1:{ca.tls_port} ssl; access_log off;")
    for number, origin in enumerate(origins, start=1):
        text = text.replace(f"app{number}:8000", origin.address)
    return text


@pytest.mark.parametrize("way", ["command line", "directive"])
def test_the_light_seed(way: str) -> None:
    """nginx-light.conf, given a name: its certificate is obtained, and a restart orders nothing."""
    with Pebble() as ca, Instance() as instance, Origin(answering(b"a")) as one, Origin(answering(b"b")) as two:
        text = seed(ca, one, two).replace("access_log off;", f"access_log off; server_name {NAME};")
        arguments = ["--acme-email", "a@example.org", "--acme-server", ca.directory, "--acme-ca", str(ca.root)]
        if way == "directive":
            text = text.replace(
                "access_log off;",
                f"access_log off; daemun_certificate a@example.org server={ca.directory} ca={ca.root} storage=acme.json;",
            )
            arguments = []
        instance.write("nginx-light.conf", text)
        plane = instance.run(*arguments, config="nginx-light.conf")
        with obtained(ca) as client:
            assert {client.request(host=NAME).body for _ in range(2)} == {b"a", b"b"}
            serial = shown(client)
        assert plane.stop() == 0
        orders = ca.said("There are now")
        instance.run(*arguments, config="nginx-light.conf")
        with obtained(ca) as client:
            assert shown(client) == serial
        assert ca.said("There are now") == orders
        if way == "directive":
            assert (instance.path / "acme.json").stat().st_mode & 0o777 == 0o600


def test_in_place_of_nginx() -> None:
    """`daemun nginx` obtains what `daemun_certificate` names: it is a certificate resolver's, as under `daemun run`."""
    with Pebble() as ca, Prefix() as prefix:
        server = f"daemun_certificate a@example.org server={ca.directory} ca={ca.root} storage=acme.json;"
        prefix.write(
            f"http {{ access_log off; server {{ listen 127.0.0.1:{ca.tls_port} ssl; server_name {NAME}; {server}\n"
            "return 200 served; } }\n"
        )
        prefix.start()
        with obtained(ca) as client:
            assert client.request(host=NAME).body == b"served"
        assert (prefix.path / "acme.json").stat().st_mode & 0o777 == 0o600
