"""Servers at https, by the language's files: whom they are believed to be, and on whose word."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.daemun import ControlPlane, Instance
from tests.kit.secure_origin import SecureOrigin, secure_origin
from tests.kit.waiting import until

AUTHORITY = Authority()
GOOD = AUTHORITY.issue("app.test", "127.0.0.1")
NAMED = AUTHORITY.issue("app.test")
STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[providers.file]
filename = "dynamic.yml"
[log]
level = "info"
"""


@contextlib.contextmanager
def served(
    folder: Path, transport: str, *, named: bool = False, static: str = ""
) -> Iterator[tuple[Instance, SecureOrigin, ControlPlane]]:
    """An instance in front of one server at https; `{here}` is the folder with `ca.pem`, the right roots."""
    with secure_origin(NAMED if named else GOOD, folder) as origin, Instance() as instance:
        (instance.path / "ca.pem").write_text(AUTHORITY.root)
        uses = "serversTransport: t, " if transport else ""
        text = (
            "http:\n  routers: {r: {rule: 'PathPrefix(`/`)', service: s}}\n"
            f"  services: {{s: {{loadBalancer: {{{uses}servers: [{{url: 'https://{origin.address}'}}]}}}}}}\n"
        )
        text += f"  serversTransports: {{t: {transport}}}\n" if transport else ""
        instance.write("daemun.toml", STATIC + static.replace("{here}", str(instance.path)))
        instance.write("dynamic.yml", text.replace("{here}", str(instance.path)))
        yield instance, origin, instance.run()


def test_own_roots(tmp_path: Path) -> None:
    """Roots from a file; what the system believes does not count beside them."""
    with served(tmp_path, "{rootCAs: ['{here}/ca.pem']}") as (instance, _, _plane):
        assert instance.get("/").status == 200


def test_the_systems_roots_by_default(tmp_path: Path) -> None:
    """An unknown authority is not believed: 502."""
    with served(tmp_path, "") as (instance, _, _plane):
        assert instance.get("/").status == 502


def test_without_verification(tmp_path: Path) -> None:
    """insecureSkipVerify, of the transport or of the static default."""
    with served(tmp_path, "{insecureSkipVerify: true}", named=True) as (instance, _, _plane):
        assert instance.get("/").status == 200
    static = "[serversTransport]\ninsecureSkipVerify = true\n"
    with served(tmp_path, "", static=static) as (instance, _, _plane):
        assert instance.get("/").status == 200


def test_server_name(tmp_path: Path) -> None:
    """The name to ask for and to verify in place of the one in the URL."""
    with served(tmp_path, "{rootCAs: ['{here}/ca.pem'], serverName: app.test}", named=True) as (instance, origin, _):
        assert instance.get("/").status == 200
        assert origin.names == ["app.test"]
    with served(tmp_path, "{rootCAs: ['{here}/ca.pem'], serverName: other.test}", named=True) as (instance, _, _plane):
        assert instance.get("/").status == 502


def test_roots_that_change(tmp_path: Path) -> None:
    """New roots are taken with the file; broken ones leave those before."""
    with served(tmp_path, "{rootCAs: ['{here}/ca.pem']}") as (instance, _, plane):
        assert instance.get("/").status == 200
        (instance.path / "ca.pem").write_text("nothing")
        until(lambda: "the roots" in plane.log, what="the complaint")
        assert instance.get("/").status == 200
        plane.forget()
        instance.write("ca.pem", Authority().root)
        plane.applied()
        assert instance.get("/").status == 502


@pytest.mark.parametrize("transport", ["{rootCAs: ['{here}/none.pem']}", "{peerCertURI: x}"])
def test_never_with_less(tmp_path: Path, transport: str) -> None:
    """A transport that cannot be had serves nobody, rather than with other roots."""
    with served(tmp_path, transport) as (instance, origin, plane):
        assert instance.get("/").status == 404
        assert origin.connections == 0
        assert "the service 's' is not served" in plane.log
