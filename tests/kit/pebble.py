"""A real ACME authority, Pebble (its module names the version, tools/setup.sh builds it), with a name server of its own.

    with Pebble() as ca: …      ca.directory, ca.root (the CA certificate of its HTTPS), ca.http_port, ca.tls_port

Every name resolves to 127.0.0.1 unless told otherwise; proofs are looked at for real, at `http_port` and `tls_port`.
What Pebble keeps it keeps in memory: `stop()` and `start()` is an authority that has forgotten everything.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.kit.engine import ROOT, TEST_RUN
from tests.kit.ports import free_ports
from tests.kit.waiting import LIMIT, until

BUILT = ROOT / ".cache" / "go" / "bin"


def program(name: str) -> str:
    """The path of one of Pebble's programs; skips the test without it."""
    built = BUILT / name
    found = str(built) if built.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: `tools/setup.sh test` builds it")
    return found


class Pebble:
    """One authority. `config` adds to its `pebble` object, `env` to its environment."""

    def __init__(self, *, config: dict[str, Any] | None = None, env: dict[str, str] | None = None) -> None:
        self._programs = program("pebble"), program("pebble-challtestsrv")
        self._directory = tempfile.TemporaryDirectory(prefix="daemun-pebble-")
        self.path = Path(self._directory.name)
        ports = free_ports(6)
        self.port, self.management, self.http_port, self.tls_port, self._dns, self._dns_management = ports
        self.directory = f"https://localhost:{self.port}/dir"
        self.root = self.path / "root.pem"
        _make_certificate(self.path)
        self._config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.path / "cert.pem"),
            "privateKey": str(self.path / "key.pem"),
            "httpPort": self.http_port,
            "tlsPort": self.tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "keyAlgorithm": "ecdsa",
            "profiles": {"default": {"description": "ninety days", "validityPeriod": 7776000}},
            **(config or {}),
        }
        self._env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0", **(env or {})}
        self.log: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._readers: list[threading.Thread] = []

    def __enter__(self) -> Pebble:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is not None:
            print("pebble's log:\n" + "\n".join(self.log[-40:]))
        self._directory.cleanup()

    def start(self) -> None:
        """Start it, with an empty memory."""
        pebble, dns = self._programs
        (self.path / "pebble.json").write_text(json.dumps({"pebble": self._config}))
        self._run(
            [
                dns,
                *("-dnsserver", f"127.0.0.1:{self._dns}"),
                *("-management", f"127.0.0.1:{self._dns_management}"),
                *("-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""),
                *("-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""),
            ]
        )
        self._run([pebble, "-config", str(self.path / "pebble.json"), "-dnsserver", f"127.0.0.1:{self._dns}"])
        until(lambda: self._answers(self.directory), what="pebble's directory")
        until(lambda: self._answers(f"http://127.0.0.1:{self._dns_management}/"), what="the name server")

    def stop(self) -> None:
        """End it at once."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()
        for reader in self._readers:
            reader.join(LIMIT)
        self._processes, self._readers = [], []

    def name(self, name: str, *addresses: str) -> None:
        """Let a name lead to these addresses."""
        self._tell_dns("add-a", {"host": name, "addresses": list(addresses)})

    def fail_name(self, name: str) -> None:
        """Let the name server fail at a name."""
        self._tell_dns("set-servfail", {"host": name})

    def mend_name(self, name: str) -> None:
        """Let it answer again."""
        self._tell_dns("clear-servfail", {"host": name})

    def suggest(self, certificate: str, answer: str) -> None:
        """Let the renewal information of a certificate (PEM) be this text."""
        body = {"Certificate": certificate, "ARIResponse": answer}
        self._send(f"https://localhost:{self.management}/set-renewal-info/", body)

    def roots(self, count: int = 1) -> list[str]:
        """The authority's own roots, PEM; more with PEBBLE_ALTERNATE_ROOTS."""
        return [self._read(f"https://localhost:{self.management}/roots/{n}").decode() for n in range(count)]

    def said(self, text: str) -> int:
        """How many lines of the log have this text."""
        return sum(text in line for line in list(self.log))

    def _tell_dns(self, command: str, body: dict[str, Any]) -> None:
        self._send(f"http://127.0.0.1:{self._dns_management}/{command}", body)

    def _send(self, url: str, body: dict[str, Any]) -> None:
        self._read(urllib.request.Request(url, data=json.dumps(body).encode(), method="POST"))

    def _read(self, url: str | urllib.request.Request) -> bytes:
        context = ssl.create_default_context(cafile=str(self.root))
        with urllib.request.urlopen(url, timeout=LIMIT, context=context) as response:
            return bytes(response.read())

    def _answers(self, url: str) -> bool:
        for process in self._processes:
            assert process.poll() is None, "it ended:\n" + "\n".join(self.log)
        try:
            self._read(url)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def _run(self, command: list[str]) -> None:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "DAEMUN_TEST": TEST_RUN, **self._env},
        )
        self._processes.append(process)
        reader = threading.Thread(target=self._follow, args=(process,), daemon=True)
        self._readers.append(reader)
        reader.start()

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.log.append(line.decode("utf-8", "replace").rstrip())


def _make_certificate(path: Path) -> None:
    """The certificate of Pebble's own HTTPS, its own root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pebble of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (path / "root.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (path / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
