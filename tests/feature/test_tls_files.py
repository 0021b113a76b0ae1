"""Certificates from files: a new pair is shown without a restart, a broken one is not, and says where it stands."""

from __future__ import annotations

import os
import signal
import ssl
from pathlib import Path

import pytest

from tests.kit.authority import Issued
from tests.kit.daemun import Instance
from tests.kit.secured import shown
from tests.kit.tls_files import AUTHORITY, STATIC, served
from tests.kit.waiting import until

ROUTER = "    r: {rule: 'Host(`example.org`)', service: app}\n"


def serial(instance: Instance, name: str = "example.org") -> int:
    """What is shown now."""
    with instance.secure(AUTHORITY.trusting(), name) as client:
        return shown(client)


def renamed(issued: Issued, folder: Path, name: str) -> None:
    """Put a pair there as tools do: new files renamed onto the old ones, one after the other."""
    issued.write(folder, "new")
    for ending in ("crt", "key"):
        (folder / f"new.{ending}").replace(folder / f"{name}.{ending}")


def test_request_over_tls() -> None:
    """The application learns that the client came over https."""
    with served(ROUTER, a=AUTHORITY.issue("example.org")) as (instance, _):
        with instance.secure(AUTHORITY.trusting(), "example.org") as client:
            response = client.request()
        assert response.status == 200
        assert '"https"' in response.text


def test_a_new_pair() -> None:
    """It is shown from the next handshake on: no Plan is applied, and an open connection goes on."""
    first, second = AUTHORITY.issue("example.org"), AUTHORITY.issue("example.org")
    with served(ROUTER, a=first) as (instance, plane):
        with instance.secure(AUTHORITY.trusting(), "example.org") as client:
            plane.forget()
            renamed(second, instance.path, "a")
            assert plane.told("X_DAEMUN_CERTIFICATES") == "1"
            assert serial(instance) == second.serial
            assert client.request().status == 200
        with instance.control() as control:
            assert control.call("stats")["applied"] == 1


def test_other_names() -> None:
    """A pair for other names is another Plan; the choice goes by them at once."""
    with served(ROUTER, a=AUTHORITY.issue("old.org")) as (instance, plane):
        new = AUTHORITY.issue("example.org")
        plane.forget()
        renamed(new, instance.path, "a")
        plane.applied()
        assert serial(instance) == new.serial


def test_a_broken_pair() -> None:
    """A key of another certificate: the one before stays, and the log says where the option stands and what to do."""
    first, other = AUTHORITY.issue("example.org"), AUTHORITY.issue("example.org")
    with served(ROUTER, a=first) as (instance, plane):
        (instance.path / "a.crt").write_text(other.chain)
        until(lambda: "the key is not the certificate's" in plane.log, what="the complaint")
        assert "what was before stays" in plane.log
        assert "dynamic.yml:3:18" in plane.log
        assert serial(instance) == first.serial
        (instance.path / "a.key").write_text(other.key)
        until(lambda: serial(instance) == other.serial, what="the pair that is whole again")


def test_a_broken_pair_at_the_start() -> None:
    """The others are served, and its own names get the default certificate."""
    good, bad = AUTHORITY.issue("good.org"), AUTHORITY.issue("example.org")
    broken = Issued(names=bad.names, chain=bad.chain, key=good.key)
    with served(ROUTER, bad=broken, good=good) as (instance, plane):
        assert serial(instance, "good.org") == good.serial
        with pytest.raises(ssl.SSLError):
            serial(instance)
        assert "the key is not the certificate's" in plane.log


def test_no_key_anywhere() -> None:
    """Neither the log nor the kept Plan nor anything else of the state directory has a key in it."""
    issued = AUTHORITY.issue("example.org")
    with served(ROUTER, a=issued) as (instance, plane):
        secret = issued.key.splitlines()[1]
        kept = [path.read_text() for path in instance.state.iterdir() if path.is_file()]
        assert kept
        assert not [text for text in (*kept, plane.log) if secret in text or "PRIVATE KEY" in text]


def test_a_new_engine_gets_them() -> None:
    """An engine that died is started with its certificates."""
    issued = AUTHORITY.issue("example.org")
    with served(ROUTER, a=issued) as (instance, plane):
        plane.forget()
        os.kill(instance.engine_pid(), signal.SIGKILL)
        plane.applied()
        assert serial(instance) == issued.serial


def test_an_adopted_engine_gets_new_ones() -> None:
    """A control plane that finds an engine hands over what has changed meanwhile; its generations go on."""
    issued, new = AUTHORITY.issue("example.org"), AUTHORITY.issue("example.org")
    with served(ROUTER, a=issued) as (instance, plane):
        with instance.control() as control:
            before = control.call("stats")["certificates"]
        plane.kill()
        assert serial(instance) == issued.serial
        renamed(new, instance.path, "a")
        instance.run()
        assert serial(instance) == new.serial
        with instance.control() as control:
            after = control.call("stats")["certificates"]
        assert before.keys() == after.keys()
        assert all(after[name] > before[name] for name in before)


def test_texts_in_the_file() -> None:
    """PEM texts may stand where files are named, as in Traefik."""
    issued = AUTHORITY.issue("example.org")
    indented = [text.replace("\n", "\n        ").strip() for text in (issued.chain, issued.key)]
    more = f"    - certFile: |\n        {indented[0]}\n      keyFile: |\n        {indented[1]}\n---\n"
    with served(more + ROUTER, a=AUTHORITY.issue("other.org")) as (instance, plane):
        assert serial(instance) == issued.serial
        assert issued.key.splitlines()[1] not in plane.log


def test_the_default_store() -> None:
    """Its certificate is shown for names that no other has; without one a self-signed certificate is."""
    default = AUTHORITY.issue("default.org")
    store = "  stores: {default: {defaultCertificate: {certFile: '{here}/d.crt', keyFile: '{here}/d.key'}}}\n---\n"
    context = AUTHORITY.trusting()
    context.check_hostname = False
    with served(store + ROUTER, d=default) as (instance, _):
        for name in ("unknown.org", None):
            with instance.secure(context, name) as client:
                assert shown(client) == default.serial
    context.verify_mode = ssl.CERT_NONE
    with served(ROUTER) as (instance, _), instance.secure(context, "example.org") as client:
        assert shown(client) != default.serial
        assert client.request().status == 200


def test_without_tls_nothing_of_it_is_loaded() -> None:
    """The control plane without TLS has no cryptography in its memory, and makes no authority."""
    static = STATIC.replace("[entryPoints.web.http.tls]\n", "")
    with served(ROUTER, static=static) as (instance, plane):
        assert "cryptography" not in Path(f"/proc/{plane.pid}/maps").read_text()
        assert not (instance.path / "data").exists()
