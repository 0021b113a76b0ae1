"""testssl.sh against a TLS listener: nothing above LOW but what the test authority and the application are to blame for."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.engine import Engine
from tests.kit.origin import Origin, Visit
from tests.kit.plans import listener, plan, tls, tls_options

#: The test authority is in no store, and says nothing of revocation.
OF_THE_AUTHORITY = {"cert_chain_of_trust", "cert_revocation"}
#: It has no GOST, and warns of that; its `openssl s_client </dev/null` sometimes ends before the ticket has come, and the
#: check "failed because of connect problem" (that sessions resume, test_tls_connections.py shows).
OF_THE_TOOL = {"engine_problem", "sessionresumption_ticket"}
HARMLESS = {"OK", "INFO", "LOW", "DEBUG"}
#: What an application says of itself: without these the tool blames the server.
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'self'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}


def answer(visit: Visit) -> None:
    fields = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    while True:
        visit.read_request()
        visit.send(f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok".encode())


@pytest.mark.timeout(600)
def test_no_finding_above_low(tmp_path: Path) -> None:
    """Protocols, suites, names, known vulnerabilities: what the tool finds is LOW at most."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        pytest.skip("testssl is not installed (Debian: testssl.sh)")
    authority = Authority()
    certificates = {kind: authority.issue("127.0.0.1", kind=kind, days=365) for kind in ("P-256", "RSA-2048")}
    with Origin(answer) as origin:
        whole = plan(
            origin.address,
            listeners={"web": listener(tls=tls(*certificates, default="P-256"), protocols=["http1"])},
            names={name: issued.names for name, issued in certificates.items()},
            tls_options={"options": tls_options(alpn=["h2", "http/1.1"])},
        )
        with Engine(whole, certificates=certificates) as engine:
            found = tmp_path / "found.json"
            command = [program, "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(found)]
            target = "{}:{}".format(*engine.tcp())
            done = subprocess.run([*command, target], capture_output=True, text=True, timeout=570, check=False)
            assert found.exists(), done.stdout[-2000:]
    findings = json.loads(found.read_text())
    assert any(one["id"] == "TLS1_3" and "offered" in one["finding"] for one in findings), "it looked at the listener"
    bad = [
        f"{one['severity']} {one['id']}: {one['finding']}"
        for one in findings
        if one["severity"] not in HARMLESS
        and one["id"].split(" ")[0] not in OF_THE_AUTHORITY
        and not (one["severity"] == "WARN" and one["id"] in OF_THE_TOOL)
    ]
    assert not bad, "\n".join(bad)
