"""The same configuration and the same 2,000 requests to Debian's nginx and to `daemun nginx`: the same answers.

Compared are status, header values and body at the client, and what the backend saw. What differs is listed below, each
with its reason; a difference that is listed and never seen is an error too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.differential import Answer, Asked, ask, differing, requests
from tests.kit.nginx_command import Prefix, listens
from tests.kit.origin import Origin, echoing
from tests.kit.waiting import until

SEED = 20261125
COUNT = 2000
SERVER = """
http {{
    server_tokens off;
    access_log off;
    default_type text/plain;
    types {{ text/html html; text/plain txt; }}
    client_body_temp_path {root}/tmp;
    proxy_temp_path {root}/tmp;
    server {{
        listen 127.0.0.1:{{port}};
        server_name example.org;
        root {root}/www;
        client_max_body_size 2k;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {{ proxy_pass http://{backend}; }}
        location /uri/ {{ proxy_pass http://{backend}/base/; }}
        location = /exact {{ return 200 "exact $uri $args\\n"; }}
        location ~ ^/re/(?<part>[a-z]+) {{ return 200 "re $part $1 $request_uri\\n"; }}
        location /static/ {{ }}
        location ^~ /private/ {{ deny all; }}
        location /try/ {{ try_files $uri $uri/ /static/a.txt; }}
        location /al/ {{ alias {root}/www/static/; }}
        location /rw/ {{ rewrite ^/rw/(.*)$ /uri/$1 last; }}
        location /brk/ {{ rewrite ^/brk/(.*)$ /broken/$1 break; proxy_pass http://{backend}; }}
        location /redir/ {{ return 302 /elsewhere$is_args$args; }}
        location /hdr/ {{
            add_header X-Uri $uri always;
            add_header X-Arg $arg_a;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Real $remote_addr;
            proxy_pass http://{backend};
        }}
        location /if/ {{
            if ($request_method = POST) {{ return 405; }}
            if ($arg_a) {{ return 200 "a is $arg_a\\n"; }}
            proxy_pass http://{backend};
        }}
        location /err/ {{
            error_page 404 = /exact;
            root {root}/none;
        }}
    }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Why Daemun may answer differently; `holds` recognises it."""

    reason: str
    holds: Callable[[Asked, Answer, Answer], bool]


def _is_small_method(asked: Asked, theirs: Answer, _ours: Answer) -> bool:
    return asked.method.islower() and theirs.status == 400


def _asks_under_a_condition(asked: Asked, theirs: Answer, ours: Answer) -> bool:
    condition = any(field.startswith(("If-Unmodified-Since", "If-Match", "If-None-Match: *")) for field in asked.fields)
    return condition and theirs.status in {304, 412} and ours.status == 200


DIFFERENCES = [
    Difference(
        reason="a method is any token, whatever its case (RFC 9110 section 9.1); nginx takes upper-case ones only",
        holds=_is_small_method,
    ),
    Difference(
        reason="what is made by `return` has no date and no tag: conditions on them are not asked (RFC 9110 section 13.1.4)",
        holds=_asks_under_a_condition,
    ),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the static locations serve; the temporary directory is everyone's, for nginx's workers are nobody."""
    static = tmp_path / "www" / "static"
    (static / "dir").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    (static / "a.txt").write_text("0123456789")
    (static / "b.html").write_text("<p>b</p>\n")
    (static / "a b").write_text("with a space\n")
    (static / "big.bin").write_bytes(bytes(range(256)) * 40)
    (static / "dir" / "index.html").write_text("index\n")
    for path in [*static.rglob("*"), static]:
        os.utime(path, (1640995200, 1640995200))
    return tmp_path


@pytest.fixture
def nginx(files: Path, backend: str) -> Iterator[int]:
    """Debian's nginx; its port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no nginx (Debian: nginx-light)")
    main = "daemon off; master_process off; pid nginx.pid; error_log error.log; events {}\n"
    with Prefix(SERVER.format(root=files, backend=backend), main=main) as prefix:
        running = subprocess.Popen(
            [program, "-p", str(prefix.path), "-c", "nginx.conf", "-e", "error.log"], env=prefix.environ
        )
        until(lambda: listens(prefix.port), what="nginx")
        yield prefix.port
        running.terminate()
        running.wait()


@pytest.fixture
def backend() -> Iterator[str]:
    with Origin(echoing("X-Echo: 1")) as origin:
        yield origin.address


@pytest.mark.slow
def test_same_answers(files: Path, backend: str, nginx: int) -> None:
    """2,000 requests, and every difference is a listed one."""
    unlisted: Counter[str] = Counter()
    examples: dict[str, str] = {}
    seen: Counter[str] = Counter()
    with Prefix(SERVER.format(root=files, backend=backend)) as prefix:
        prefix.start()
        for asked in requests(SEED, COUNT):
            theirs, ours = _same_port(ask(nginx, asked), nginx), _same_port(ask(prefix.port, asked), prefix.port)
            names = differing(theirs, ours)
            if not names:
                continue
            known = next((one.reason for one in DIFFERENCES if one.holds(asked, theirs, ours)), None)
            if known is not None:
                seen[known] += 1
                continue
            kind = f"{', '.join(names)} ({theirs.status}, {ours.status})"
            unlisted[kind] += 1
            examples.setdefault(kind, f"{asked.raw[:300]!r}\n  nginx:  {theirs}\n  daemun: {ours}"[:2000])
    for kind, number in unlisted.most_common():
        print(f"{number} times {kind}\n{examples[kind]}\n")
    assert not unlisted
    assert {one.reason for one in DIFFERENCES} == set(seen)


def _same_port(answer: Answer, port: int) -> Answer:
    """Put a word for the server's own port, which redirects and pages show."""
    text = str(port)
    headers = tuple((name, value.replace(text, "PORT")) for name, value in answer.headers)
    return Answer(status=answer.status, headers=headers, body=answer.body, seen=answer.seen)
