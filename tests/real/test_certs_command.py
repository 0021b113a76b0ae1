"""`daemun certs` against a running gate with a real authority: what is there, what failed, renewal by command."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import Any

import pytest

from tests.kit.daemun import Instance
from tests.kit.engine import ROOT
from tests.kit.pebble import Pebble
from tests.kit.production import NAME, obtained, running, trusting
from tests.kit.secured import shown
from tests.kit.waiting import until
from tests.kit.wire import Client


def certs(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on an instance's state directory, on a wide and plain terminal."""
    command = [sys.executable, "-m", "daemun", "certs", *arguments, "--state-dir", str(instance.state)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "220", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def rows(instance: Instance) -> dict[str, dict[str, Any]]:
    """The rows of --json by their first name."""
    shown = certs(instance, "--json")
    return {row["names"][0]: row for row in json.loads(shown.stdout)["certificates"]}


def test_what_is_there() -> None:
    """A row has names, resolver, issuer, expiry and the next renewal, in the table and as JSON; the status is 0."""
    with Pebble() as ca, running(ca) as (instance, _):
        obtained(instance, ca).close()
        until(lambda: rows(instance)[NAME]["renewal_by"] == "ari", what="the authority's suggestion")
        table = certs(instance)
        assert table.returncode == 0, table.stdout + table.stderr
        line = next(line for line in table.stdout.splitlines() if NAME in line)
        for text in ("valid", "letsencrypt", "Pebble Intermediate CA", "(in 90 d)"):
            assert text in line
        assert "as the authority suggests" in table.stdout
        row = rows(instance)[NAME]
        assert row["wanted_by"] == "fastapi@file"
        assert row["wanted_at"].endswith("routes.yml:4")
        assert row["trouble"] is None
        assert stat.S_IMODE((instance.state / "certificates.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((instance.state / "commands.sock").stat().st_mode) == 0o600


def test_what_failed() -> None:
    """A name that the authority refuses: what it said, what to do, when it is tried again; the status is 1."""
    more = "    blocked: {rule: 'Host(`blocked.example.test`)', service: fastapi}"
    config = {"domainBlocklist": ["blocked.example.test"]}
    with Pebble(config=config) as ca, running(ca, routes=more) as (instance, _):
        obtained(instance, ca).close()
        until(lambda: rows(instance)["blocked.example.test"]["trouble"], what="the failure")
        table = certs(instance)
        assert table.returncode == 1
        assert "blocked.example.test is a forbidden domain" in table.stdout
        assert "leave it out, or use another authority" in table.stdout
        assert "failed once; the next try is" in table.stdout
        assert "routes.yml:7)" in table.stdout


def test_renewal_by_command() -> None:
    """`renew` orders anew while the gate serves; who is connected notices nothing, the next handshake shows the new one."""
    with Pebble() as ca, running(ca) as (instance, _), obtained(instance, ca) as before:
        serial = shown(before)
        asked = certs(instance, "renew", NAME)
        assert asked.returncode == 0, asked.stdout + asked.stderr
        assert f"ordered for {NAME}: acme:letsencrypt:{NAME}" in asked.stdout

        def another() -> bool:
            with instance.secure(trusting(ca), NAME, "https") as client:
                return shown(client) != serial

        until(another, what="another certificate in the handshake")
        assert before.request("GET", "/client-info", host=NAME).status == 200
        unknown = certs(instance, "renew", "unknown.example.test")
        assert unknown.returncode == 1
        assert "no certificate resolver has unknown.example.test" in unknown.stderr


@pytest.mark.parametrize(
    "path",
    [
        "/certificates/renew",
        "/.well-known/acme-challenge/../../certificates/renew",
        "/.well-known/acme-challenge/%2e%2e/%2e%2e/certificates/renew",
        "/.well-known/acme-challenge/..%2f..%2fcertificates/renew",
    ],
)
def test_commands_are_not_for_the_gate(path: str) -> None:
    """No path of a request leads from the gate to a command."""
    with Pebble() as ca, running(ca) as (instance, _):
        obtained(instance, ca).close()
        orders = ca.said("Added order")
        with Client(instance.address("http")) as client:
            body = json.dumps({"name": NAME}).encode()
            assert client.request("POST", path, host=NAME, body=body).status != 202
        until(lambda: rows(instance)[NAME]["state"] == "valid", what="a look at the status")
        assert ca.said("Added order") == orders


def test_nothing_runs() -> None:
    """Without an instance it is said which state directory was looked at, and the status is 1."""
    with Instance() as instance:
        for arguments in ((), ("renew", NAME)):
            said = certs(instance, *arguments)
            assert said.returncode == 1
            assert str(instance.state) in said.stderr
