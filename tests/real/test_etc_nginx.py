"""What people have in /etc/nginx runs here as under Debian's nginx, or says with file and line what to do."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kit.differential import Answer, ask, differing
from tests.kit.etc_nginx import AUTHORITY, Case, cases, said
from tests.kit.nginx_command import Prefix, listens
from tests.kit.origin import Origin, echoing
from tests.kit.waiting import until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
LISTED = {
    "connection",
    "keep-alive",
    # Nothing is compressed, so nothing varies by it.
    "vary",
    # A listing says its length here.
    "content-length",
    "transfer-encoding",
}
"""Fields that may differ (docs/explain/differences-nginx.md); bodies are compared whole."""
APPLICATION = echoing("X-Echo: 1", "X-Powered-By: echo", "Location: http://elsewhere.example.org/")
"""Tells what it got, and sends redirects."""
RUN = [case for case in cases() if case.says is None]
REFUSED = [case for case in cases() if case.says is not None]


@contextlib.contextmanager
def origins() -> Iterator[dict[str, str]]:
    """Three applications, one at a Unix socket that everybody may use."""
    with tempfile.TemporaryDirectory(prefix="daemun-app-") as folder:
        Path(folder).chmod(0o755)
        path = str(Path(folder) / "app.sock")
        with Origin(APPLICATION) as one, Origin(APPLICATION) as two, Origin(APPLICATION, unix=path):
            Path(path).chmod(0o777)
            yield {"APP": one.address, "APP2": two.address, "SOCKET": path}


@contextlib.contextmanager
def nginx(case: Case, words: dict[str, str]) -> Iterator[Prefix]:
    """Debian's nginx with these files: an older one, that says http2 in `listen`."""
    with Prefix() as prefix:
        older = {name: text.replace("http2 on;", "") for name, text in case.files.items()}
        replace(case, files=older).write(prefix.path, {**words, "PORT": str(prefix.port), "TLS": str(prefix.port2)})
        command = [str(NGINX), "-p", str(prefix.path), "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"]
        running = subprocess.Popen(command, env=prefix.environ)
        try:
            until(lambda: listens(prefix.port), what="nginx")
            yield prefix
        finally:
            running.terminate()
            running.wait()


@contextlib.contextmanager
def ours(case: Case, words: dict[str, str]) -> Iterator[Prefix]:
    with Prefix() as prefix:
        case.write(prefix.path, {**words, "PORT": str(prefix.port), "TLS": str(prefix.port2)})
        prefix.start()
        yield prefix


@pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: nginx-light)")
@pytest.mark.parametrize("case", RUN, ids=lambda case: case.name)
def test_runs_as_under_nginx(case: Case) -> None:
    """Same status, fields and body for the client, and the same request for the application."""
    context = AUTHORITY.trusting()
    context.check_hostname = False
    with origins() as words, nginx(case, words) as theirs, ours(case, words) as prefix:
        for tls, asked in case.requests():
            expected, found = (
                shown(one, ask(port(one, tls=tls), asked, context if tls else None)) for one in (theirs, prefix)
            )
            assert not differing(expected, found), f"{case.asks[asked.number]}\nnginx:  {expected}\ndaemun: {found}"


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_says_what_to_do(case: Case) -> None:
    """Each directive that is not served, with its place and what to use instead, all at once."""
    assert said(case) == case.says
    assert case.says
    assert re.search(r":\d+ ", case.says)


def port(prefix: Prefix, *, tls: bool) -> int:
    return prefix.port2 if tls else prefix.port


def shown(prefix: Prefix, answer: Answer) -> Answer:
    """Put words for what is a server's own: ports, file times and the time an answer expires."""
    headers = []
    for name, value in answer.headers:
        if name in {"etag", "last-modified", "expires"}:
            headers.append((name, name))
        elif name == "location":
            headers.append((name, value.replace(str(prefix.port), "PORT").replace(str(prefix.port2), "TLS")))
        elif name not in LISTED:
            headers.append((name, value))
    body = re.sub(rb"\d\d-\w{3}-\d{4} \d\d:\d\d", b"DATE", answer.body)
    seen = answer.seen
    if seen is not None:
        # An older nginx asks its backends in HTTP/1.0 unless it is told otherwise.
        line = seen["line"].replace("HTTP/1.0", "HTTP/1.1")
        seen = {**seen, "line": line, "headers": [one for one in seen["headers"] if one[0] != "connection"]}
    return replace(answer, headers=tuple(headers), body=body, seen=seen)
