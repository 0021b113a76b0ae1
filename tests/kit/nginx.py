"""Debian's nginx beside the engine: the same configuration, written for each, must mean the same.

`Nginx(text)` runs these directives inside `http {}`, on a free port that the text calls PORT. `both()` has it and an
engine with a Plan answer the same requests; `seen()` is what of an answer must be equal.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.kit.engine import Engine
from tests.kit.plans import Json
from tests.kit.ports import free_ports
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Client, Response

FRAME = """
daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log notice;
events {{}}
http {{
    access_log off; server_tokens off; default_type text/plain;
    client_body_temp_path {directory}/1; proxy_temp_path {directory}/2; fastcgi_temp_path {directory}/3;
    uwsgi_temp_path {directory}/4; scgi_temp_path {directory}/5;
{http}
}}
"""


PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
"""A daemon's place is not on everyone's PATH; None where it is not installed."""


def is_installed() -> bool:
    return PROGRAM is not None


class Nginx:
    """One running nginx. `with Nginx(http) as nginx: …`. `files` stand in a directory that the text calls DIRECTORY."""

    def __init__(self, http: str, *, files: Mapping[str, str] | None = None) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="daemun-nginx-")
        path = Path(self.directory.name)
        for name, content in (files or {}).items():
            (path / name).write_text(content)
        # Another may take a port between its choice and nginx.
        for last in (False, False, True):
            self.port = free_ports(1)[0]
            text = http.replace("PORT", str(self.port)).replace("DIRECTORY", str(path))
            (path / "nginx.conf").write_text(FRAME.format(directory=path, http=text))
            command = [
                "setpriv",
                "--pdeathsig",
                "KILL",
                PROGRAM or "nginx",
                "-p",
                str(path),
                "-c",
                str(path / "nginx.conf"),
            ]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                until(self._listens, what="nginx")
            except AssertionError as error:
                if last or "Address already in use" not in str(error):
                    self.close()
                    raise
            except BaseException:
                self.close()
                raise
            else:
                return

    def __enter__(self) -> Nginx:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def client(self) -> Client:
        return Client(("127.0.0.1", self.port))

    def close(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=LIMIT)
        self.directory.cleanup()

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended: {self.process.communicate()[1]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@dataclass(frozen=True, kw_only=True)
class Both:
    """An engine and an nginx, each asked over a connection of its own."""

    engine: Engine
    nginx: Nginx

    def ask(self, method: str, target: str, *headers: str, **fields: Any) -> tuple[Json, Json]:
        """What the engine and nginx answered, as far as it must be equal: the words of nginx's own pages need not."""
        answers = []
        for server in (self.engine, self.nginx):
            with server.client() as client:
                answers.append(seen(client.request(method, target, *headers, **fields)))
        if "text" not in answers[1]:
            answers[0].pop("text", None)
        return answers[0], answers[1]


@contextlib.contextmanager
def both(plan: Json, http: str) -> Iterator[Both]:
    with Nginx(http) as nginx, Engine(plan) as engine:
        yield Both(engine=engine, nginx=nginx)


def seen(response: Response) -> Json:
    """Status, the fields a configuration sets, and what an echoing origin got or the text that was configured."""
    fields = {name.lower(): value for name, value in response.headers if name.lower().startswith(("x-", "www-"))}
    fields.pop("x-content-type-options", None)  # Traefik's words for a fault say it
    answer: Json = {"status": response.status, "location": response.get("location"), "fields": fields}
    if response.body and response.get("content-type") == "application/json":
        told = json.loads(response.body)
        method, target, _ = told["line"].split(" ")
        passed = {name.lower(): value for name, value in told["headers"] if name.lower().startswith("x-")}
        answer["upstream"] = {"method": method, "target": target, "fields": passed, "body": told["body"]}
    elif b"<center>nginx</center>" not in response.body:
        answer["text"] = response.text
    return answer
