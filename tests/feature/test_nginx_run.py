"""`daemun run --config nginx.conf`: the whole of it, with files that change, break and are mended."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.daemun import Instance
from tests.kit.origin import Origin, answering
from tests.kit.ports import free_ports
from tests.kit.wire import Client, Response

AUTHORITY = Authority()
SEEDS = Path(__file__).parents[1] / "seed"


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance() as made:
        yield made


def get(port: int, target: str = "/", host: str = "example.org") -> Response:
    with Client(("127.0.0.1", port)) as client:
        return client.request(target=target, host=host)


def configuration(port: int, location: str) -> str:
    return (
        f"events {{}}\nhttp {{\n  access_log off;\n  include conf.d/*.conf;\n  server {{\n"
        f"    listen 127.0.0.1:{port};\n    {location}\n  }}\n}}\n"
    )


def test_the_seed_with_other_addresses(instance: Instance) -> None:
    """nginx-basic.conf: least_conn over TLS and HTTP/1.1, the fields the application sees, 80 to 443."""
    secure, plain = free_ports(2)
    with Origin() as one, Origin() as two, Origin() as three:
        AUTHORITY.issue("yourdomain.com").write(instance.path, "site")
        text = (SEEDS / "nginx-basic.conf").read_text()
        for number, origin in enumerate((one, two, three), start=1):
            text = text.replace(f"app{number}:8000", origin.address)
        text = text.replace("listen 443", f"listen 127.0.0.1:{secure}").replace(
            "listen 80", f"listen 127.0.0.1:{plain}"
        )
        text = text.replace("/etc/letsencrypt/live/yourdomain.com/fullchain.pem", "site.crt")
        text = text.replace("/etc/letsencrypt/live/yourdomain.com/privkey.pem", "site.key")
        instance.write("nginx-basic.conf", text)
        instance.run(config="nginx-basic.conf")
        with instance.secure(AUTHORITY.trusting(), "yourdomain.com", f"127.0.0.1:{secure}") as client:
            said = [json.loads(client.request(target="/a?b=c", host="yourdomain.com").body) for _ in range(6)]
        assert {len(origin.visits) for origin in (one, two, three)} == {1}
        fields = {name.lower(): value for name, value in said[0]["headers"]}
        assert fields["host"] == "backend"
        assert fields["x-real-ip"] == fields["x-forwarded-for"] == "127.0.0.1"
        assert fields["x-forwarded-proto"] == "https"
        moved = get(plain, "/a?b=c", "yourdomain.com")
        assert (moved.status, moved.get("location")) == (301, "https://yourdomain.com/a?b=c")


def test_files_that_change(instance: Instance) -> None:
    """The file, a file that appears in an included directory, and one of those that changes: each is taken."""
    [port] = free_ports(1)
    (instance.path / "conf.d").mkdir()
    instance.write("nginx.conf", configuration(port, 'return 200 "one";'))
    plane = instance.run(config="nginx.conf")
    with Client(("127.0.0.1", port)) as client:
        assert client.request().body == b"one"
        instance.write("nginx.conf", configuration(port, 'return 200 "two $of_map";'))
        plane.refused()  # the map is not there yet
        (instance.path / "conf.d" / "map.conf").write_text('map $host $of_map { default "first"; }')
        plane.applied()
        assert client.request().body == b"two first"
        (instance.path / "conf.d" / "map.conf").write_text('map $host $of_map { default "second"; }')
        plane.applied()
        assert client.request().body == b"two second"


def test_a_broken_change_changes_nothing(instance: Instance) -> None:
    """It is refused as a whole and said with its place; the running configuration stays, and a mended one is taken."""
    [port] = free_ports(1)
    instance.write("nginx.conf", configuration(port, 'return 200 "one";'))
    plane = instance.run(config="nginx.conf")
    instance.write("nginx.conf", configuration(port, 'retrun 200 "two";'))
    plane.refused()
    assert get(port).body == b"one"
    assert 'unknown directive "retrun"' in plane.log
    assert "nginx.conf:7:5" in plane.log
    instance.write("nginx.conf", configuration(port, 'return 200 "three";'))
    plane.applied()
    assert get(port).body == b"three"


def test_a_broken_start(instance: Instance) -> None:
    """It ends with 1 and says everything that is wrong."""
    [port] = free_ports(1)
    instance.write("nginx.conf", configuration(port, "client_max_body_size x; rooot /;"))
    plane = instance.run(config="nginx.conf", ready=False)
    assert plane.wait() == 1
    assert '"client_max_body_size" directive invalid value' in plane.log
    assert "did you mean 'root'?" in plane.log


def test_a_certificate_that_is_missing(instance: Instance) -> None:
    """A start without it fails as nginx's does; a change that names one that is missing is refused."""
    secure, plain = free_ports(2)
    tls = f"listen 127.0.0.1:{secure} ssl; ssl_certificate gone.crt; ssl_certificate_key gone.key;"
    instance.write("nginx.conf", configuration(plain, f"{tls} return 204;"))
    failed = instance.run(config="nginx.conf", ready=False)
    assert failed.wait() == 1
    assert "gone.crt cannot be read" in failed.log
    instance.write("nginx.conf", configuration(plain, 'return 200 "one";'))
    plane = instance.run(config="nginx.conf")
    instance.write("nginx.conf", configuration(plain, f'{tls} return 200 "two";'))
    plane.refused()
    assert get(plain).body == b"one"


def test_ssl_without_a_certificate(instance: Instance) -> None:
    """The error says what to do; `daemun_certificate local` does it for names of one's own."""
    secure, plain = free_ports(2)
    tls = f"listen 127.0.0.1:{secure} ssl; server_name localhost;"
    instance.write("nginx.conf", configuration(plain, f"{tls} return 204;"))
    failed = instance.run(config="nginx.conf", ready=False)
    assert failed.wait() == 1
    assert "daemun_certificate you@example.org" in failed.log
    instance.write("nginx.conf", configuration(plain, f'{tls} daemun_certificate local; return 200 "ours";'))
    instance.run(config="nginx.conf")
    context = ssl.create_default_context(cafile=str(instance.path / "data" / "authority.crt"))
    with instance.secure(context, "localhost", f"127.0.0.1:{secure}") as client:
        assert client.request(host="localhost").body == b"ours"


def test_a_variable_that_names_an_upstream(instance: Instance) -> None:
    """`map` chooses among upstream blocks; what is no name of one is an address."""
    [port] = free_ports(1)
    with Origin(answering(b"blue")) as blue, Origin(answering(b"green")) as green, Origin(answering(b"other")) as other:
        instance.write(
            "nginx.conf",
            f"""
            upstream blue {{ server {blue.address}; }}
            upstream green {{ server {green.address}; }}
            map $arg_to $pool {{ default blue; g green; o {other.address}; }}
            access_log off;
            server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://$pool; }} }}
            """,
        )
        instance.run(config="nginx.conf")
        assert [get(port, target).body for target in ("/", "/?to=g", "/?to=o")] == [b"blue", b"green", b"other"]


def test_one_address_beside_all(instance: Instance) -> None:
    """The more specific address takes its connections, whichever comes first, and when it comes later."""
    [port] = free_ports(1)
    every = f'server {{ listen {port}; return 200 "every"; }}'
    one = f'server {{ listen 127.0.0.2:{port}; return 200 "one"; }}'

    def said(host: str) -> bytes:
        with Client((host, port)) as client:
            return client.request().body

    for text in (one + every, every + one):
        instance.write("nginx.conf", f"access_log off; {text}")
        plane = instance.run(config="nginx.conf")
        assert (said("127.0.0.1"), said("127.0.0.2")) == (b"every", b"one")
        instance.write("nginx.conf", f"access_log off; {every}")
        plane.applied()
        assert said("127.0.0.2") == b"every"
        instance.write("nginx.conf", f"access_log off; {text}")
        plane.applied()
        assert (said("127.0.0.1"), said("127.0.0.2")) == (b"every", b"one")
        assert plane.stop() == 0


def test_users_that_change(instance: Instance) -> None:
    """A file of users is taken when it changes, like the configuration itself."""
    [port] = free_ports(1)
    users = instance.write("users", "ada:{PLAIN}one\n")
    instance.write(
        "nginx.conf",
        f"access_log off; server {{ listen 127.0.0.1:{port}; auth_basic x; auth_basic_user_file users; root .; }}",
    )
    plane = instance.run(config="nginx.conf")

    def status(password: str) -> int:
        told = base64.b64encode(f"ada:{password}".encode()).decode()
        with Client(("127.0.0.1", port)) as client:
            return client.request("GET", "/nothing", f"Authorization: Basic {told}").status

    assert (status("one"), status("two")) == (404, 401)
    users.write_text("ada:{PLAIN}two\n")
    plane.applied()
    assert (status("one"), status("two")) == (401, 404)
