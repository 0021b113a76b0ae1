"""`user`: root's control plane binds, reads keys and opens logs; the engine that faces the network is somebody else."""

from __future__ import annotations

import os
import pwd
import signal
import socket
from pathlib import Path

import pytest

from tests.kit.daemun import gone
from tests.kit.engine import Engine
from tests.kit.nginx_command import Prefix
from tests.kit.waiting import until

NOBODY = pwd.getpwnam("nobody")
SERVED = (
    "http {{ access_log access.log; client_body_temp_path bodies; server {{ listen 127.0.0.1:{port}; root www; }} }}\n"
)
MAIN = "user nobody; pid nginx.pid; error_log error.log notice; events {}\n"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


def low_port() -> int:
    """A free port below 1024."""
    for port in range(900, 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 1024 is free")


def rights(pid: int) -> dict[str, str]:
    """What /proc says of a process, of whichever thread asks: all of them must agree."""
    told = [
        {
            name: " ".join(value.split())
            for name, _, value in (line.partition(":") for line in (task / "status").read_text().splitlines())
            if name in {"Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs"}
        }
        for task in Path(f"/proc/{pid}/task").iterdir()
    ]
    assert all(one == told[0] for one in told)
    return told[0]


class Served:
    """A prefix whose engine is nobody's: its directories may be entered, as /etc/nginx and /var/log/nginx may."""

    def __init__(self) -> None:
        self.port = low_port()
        self.prefix = Prefix(SERVED.format(port=self.port), main=MAIN)
        self.prefix.path.chmod(0o755)
        www = self.prefix.path / "www"
        www.mkdir()
        (www / "open.txt").write_text("open")
        (www / "secret.txt").write_text("secret")
        (www / "secret.txt").chmod(0o600)

    def engine(self, pid: int) -> int:
        [engine] = [one for one in self.prefix.processes() if one != pid]
        return engine

    def status(self, path: str) -> int:
        self.prefix.port = self.port
        return self.prefix.get(path).status


def test_the_engine_is_the_user() -> None:
    """All of its threads, with his groups; a port below 1024 is bound all the same, and nothing else is left of root."""
    served = Served()
    with served.prefix as prefix:
        pid = prefix.start()
        found = rights(served.engine(pid))
        assert found["Uid"].split() == [str(NOBODY.pw_uid)] * 4
        assert found["Gid"].split() == [str(NOBODY.pw_gid)] * 4
        assert found["Groups"].split() == [str(NOBODY.pw_gid)]
        assert int(found["CapPrm"], 16) & ~(1 << 10) == 0
        assert found["NoNewPrivs"] == "1"
        assert served.status("/open.txt") == 200
        assert served.status("/secret.txt") == 403


def test_logs_of_the_user() -> None:
    """Logs are his, and go on after logrotate has moved them; so are temporary files."""
    served = Served()
    with served.prefix as prefix:
        pid = prefix.start()
        access = prefix.path / "access.log"
        assert served.status("/open.txt") == 200
        until(lambda: "/open.txt" in access.read_text(), what="the first line")
        assert access.stat().st_uid == NOBODY.pw_uid
        assert (prefix.path / "bodies").stat().st_uid == NOBODY.pw_uid
        prefix.path.chmod(0o700)
        prefix.path.chmod(0o755)
        access.rename(prefix.path / "access.log.1")
        os.kill(pid, signal.SIGUSR1)
        until(lambda: access.exists() and access.stat().st_uid == NOBODY.pw_uid, what="the new file")
        prefix.logged("log files opened again")
        assert served.status("/secret.txt") == 403
        until(lambda: "/secret.txt" in access.read_text(), what="a line in the new file")


def test_another_low_port_with_a_reload() -> None:
    """What the engine kept of root's rights is for this."""
    served = Served()
    with served.prefix as prefix:
        prefix.start()
        assert served.status("/open.txt") == 200
        served.port = low_port()
        prefix.write(SERVED.format(port=served.port), main=MAIN)
        assert prefix.nginx("-s", "reload").returncode == 0

        def there() -> bool:
            try:
                return served.status("/open.txt") == 200
            except ConnectionRefusedError:
                return False

        until(there, what="the new address")


def test_revived_as_the_user() -> None:
    """An engine that died is started again as the same user."""
    served = Served()
    with served.prefix as prefix:
        pid = prefix.start()
        engine = served.engine(pid)
        os.kill(engine, signal.SIGKILL)
        until(lambda: gone(engine), what="its end")
        until(lambda: len(prefix.processes()) == 2, what="another engine")
        prefix.logged("engine started")
        until(lambda: rights(served.engine(pid))["Uid"].split()[0] == str(NOBODY.pw_uid), what="its user")


def test_nobody_else() -> None:
    """A user who is not there is nginx's error, with its place and what to do."""
    with Prefix("http {}\n", main="events {}\nuser nobdy;\n") as prefix:
        done = prefix.nginx("-t")
        assert done.returncode == 1
        assert f'[emerg] getpwnam("nobdy") failed in {prefix.path}/nginx.conf:2\n' in done.stderr


def test_a_log_that_somebody_put_there() -> None:
    """What a link leads to is not given away: a user who may write beside his logs gets no other file of root's."""
    served = Served()
    with served.prefix as prefix:
        secret = prefix.path / "secret"
        secret.write_text("")
        secret.chmod(0o600)
        (prefix.path / "access.log").symlink_to(secret)
        prefix.nginx()
        assert secret.stat().st_uid == 0


def test_alone() -> None:
    """`--user` of the engine alone."""
    with Engine(None, options=["--user", f"{NOBODY.pw_uid}:{NOBODY.pw_gid}"], ready=False) as engine:
        until(lambda: rights(engine.process.pid)["Uid"].split()[0] == str(NOBODY.pw_uid), what="the change")
