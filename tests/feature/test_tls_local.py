"""Certificates of the local authority: for names nobody else signs, believed by whoever trusts its root."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.daemun import Instance
from tests.kit.engine import ROOT
from tests.kit.origin import Origin
from tests.kit.tls_files import AUTHORITY, served

ROUTERS = """
    l: {rule: 'Host(`localhost`) || Host(`nas`) || Host(`127.0.0.1`)', service: app}
    p: {rule: 'Host(`public.org`)', service: app}
"""


def trusting(instance: Instance) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(instance.path / "data" / "authority.crt"))


@pytest.mark.parametrize("name", ["localhost", "nas", "127.0.0.1"])
def test_local_names(name: str) -> None:
    """Names and addresses; an address is in no SNI, so it has the default certificate."""
    with served(ROUTERS) as (instance, _), instance.secure(trusting(instance), name) as client:
        response = client.request(host=name)
        assert response.status == 200
        assert '"https"' in response.text


def test_public_names_are_not_signed() -> None:
    """They have the default certificate, which nobody believes."""
    with served(ROUTERS) as (instance, _), pytest.raises(ssl.SSLError):
        instance.secure(trusting(instance), "public.org")


def test_a_file_comes_first() -> None:
    """A name that a file's certificate covers is not signed here."""
    with served("    l: {rule: 'Host(`nas`)', service: app}\n", a=AUTHORITY.issue("nas")) as (instance, _):
        with instance.secure(AUTHORITY.trusting(), "nas") as client:
            assert client.request(host="nas").status == 200
        assert not (instance.path / "data").exists()


def test_the_same_authority_after_a_restart() -> None:
    """Who trusted it once need not do so again."""
    with served(ROUTERS) as (instance, plane):
        context = trusting(instance)
        assert plane.stop() == 0
        instance.run()
        with instance.secure(context, "localhost") as client:
            assert client.request(host="localhost").status == 200


def test_proxy_over_tls() -> None:
    """`daemun proxy --listen-tls` needs no file at all."""
    with Instance() as instance, Origin() as origin:
        instance.start("proxy", "--listen-tls", "127.0.0.1:0", "--to", origin.address)
        with instance.secure(trusting(instance), "localhost", "websecure") as client:
            assert client.request(host="localhost").status == 200
        with instance.control() as control:
            assert list(control.call("stats")["listeners"]) == ["websecure"]


def daemun(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody whose home this is, and who is not root."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(home), "DAEMUN_DATA_DIR": str(home / "data")}
    command = [sys.executable, "-m", "daemun", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_trust_help() -> None:
    """What it does is said before it does it."""
    shown = daemun("trust", "--help", home=Path("/nonexistent"))
    assert shown.returncode == 0
    assert "--remove" in shown.stdout


def test_check_looks_at_the_files(tmp_path: Path) -> None:
    """`daemun check` finds a broken pair, and a key of another certificate."""
    one, two = AUTHORITY.issue("a.org"), AUTHORITY.issue("a.org")
    one.write(tmp_path, "a")
    (tmp_path / "t.yml").write_text(
        "entryPoints: {web: {address: ':443', http: {tls: {}}}}\nproviders: {file: {filename: d.yml}}\n"
    )
    (tmp_path / "d.yml").write_text("tls: {certificates: [{certFile: a.crt, keyFile: a.key}]}\n")
    assert daemun("check", str(tmp_path / "t.yml"), home=tmp_path).returncode == 0
    (tmp_path / "a.key").write_text(two.key)
    shown = daemun("check", "--json", str(tmp_path / "t.yml"), home=tmp_path)
    assert shown.returncode == 1
    [problem] = json.loads(shown.stdout)
    assert problem["kind"] == "certificate"
    assert problem["place"] == {"file": str(tmp_path / "d.yml"), "line": 1, "column": 33}
