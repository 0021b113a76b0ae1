"""A real browser (Chromium) over TLS: a page of 100 resources comes over HTTP/2, all of it over one connection."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.engine import Engine
from tests.kit.origin import Gone, Origin, Visit
from tests.kit.plans import listener, plan, tls, tls_options

RESOURCES = 100
#: Fetches every resource, then says what came, and by which protocol.
PAGE = """<!doctype html><title>loading</title><p id="said">nothing</p>
<script>
addEventListener("load", async () => {
  const numbers = [...Array(RESOURCES).keys()]
  const texts = await Promise.all(numbers.map(async n => (await fetch(`/resource/${n}`)).text()))
  const right = texts.filter((text, n) => text === `resource ${n}`.padEnd(4000, ".")).length
  const entries = performance.getEntriesByType("resource").filter(entry => entry.name.includes("/resource/"))
  const protocols = [...new Set(entries.map(entry => entry.nextHopProtocol))].join(" ")
  document.getElementById("said").textContent = `${right} right, ${entries.length} by ${protocols}`
})
</script>""".replace("RESOURCES", str(RESOURCES))


def site(visit: Visit) -> None:
    """The page, and resources that tell their number."""
    try:
        while True:
            target = visit.read_request().target
            if target == "/":
                kind, body = "text/html", PAGE
            else:
                kind, body = "text/plain", f"resource {target.rpartition('/')[2]}".ljust(4000, ".")
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            visit.send((head + body).encode())
    except Gone:
        return


@pytest.mark.timeout(300)
def test_page_of_100_resources(tmp_path: Path) -> None:
    """Chromium trusts the test authority, verifies, and gets the page and every resource right, by `h2`."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    certutil = shutil.which("certutil")
    if program is None or certutil is None:
        pytest.skip("no chromium or certutil (Debian: chromium, libnss3-tools)")
    authority = Authority()
    issued = authority.issue("page.localhost")
    store = tmp_path / ".pki" / "nssdb"
    store.mkdir(parents=True)
    (tmp_path / "root.pem").write_text(authority.root)
    database = ["-d", f"sql:{store}"]
    subprocess.run([certutil, "-N", "--empty-password", *database], check=True, timeout=60)
    trusted = ["-A", "-t", "C,,", "-n", "test", "-i", str(tmp_path / "root.pem")]
    subprocess.run([certutil, *trusted, *database], check=True, timeout=60)
    with Origin(site) as origin:
        whole = plan(
            origin.address,
            listeners={"web": listener(tls=tls("page"), protocols=["http1", "http2"])},
            names={"page": issued.names},
            tls_options={"options": tls_options(alpn=["h2", "http/1.1"])},
        )
        with Engine(whole, certificates={"page": issued}) as engine:
            command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            command += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=20000", "--dump-dom"]
            done = subprocess.run(
                [*command, f"https://page.localhost:{engine.tcp()[1]}/"],
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
                env={**os.environ, "HOME": str(tmp_path)},
            )
            said = re.search(r'id="said">([^<]*)<', done.stdout)
            assert said, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            assert said[1] == f"{RESOURCES} right, {RESOURCES} by h2", done.stderr[-2000:]
            stats = engine.stats()
            assert stats["handshakes"]["failed"] == 0
            assert sum(thread["requests"] for thread in stats["threads"]) >= RESOURCES + 1
            assert sum(thread["accepted"] for thread in stats["threads"]) <= 3, "one connection, and a spare at most"
