"""A real Docker engine of the test's own: started by hand, with its own data, socket and bridge, and ended with the test.

    with Docker() as docker:
        web = docker.run(labels={"traefik.enable": "true"})          # the image `busybox`: its httpd tells its name
        web.address()                                                # on the default network
        web.stop(); web.start(); web.kill("TERM"); web.logs()

The fixture `docker` gives the engine of the session, and removes what a test made with it. The engine lives in a PID
and a mount namespace, so that nothing of it (containerd, shims, containers) outlives the test run, however that ends; its data is in memory.
The network is the machine's: containers are reached at their addresses. It touches no iptables; ports are published
by docker-proxy. Its bridges begin with `dmnN`, their addresses with 10.N.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import SkipTest

from tests.kit.docker_api import DockerApi, DockerError, Events
from tests.kit.docker_images import IMAGES
from tests.kit.engine import TEST_RUN
from tests.kit.waiting import LIMIT, until

PLACES = range(200, 250)
"""What stands for N: one engine each."""

# PID 1 of the namespace. The chroot of a build machine may lack the control groups: they are mounted for the engine alone.
FIRST_PROCESS = """
if ! grep -q ' /sys/fs/cgroup' /proc/mounts; then
    [ -d /sys/fs ] || mount -t sysfs sysfs /sys
    if [ "$(wc -l </proc/self/cgroup)" = 1 ]; then mount -t cgroup2 cgroup2 /sys/fs/cgroup
    else
        mount -t tmpfs cgroups /sys/fs/cgroup
        for controller in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
            mkdir -p /sys/fs/cgroup/$controller
            mount -t cgroup -o $controller $controller /sys/fs/cgroup/$controller || rmdir /sys/fs/cgroup/$controller
        done
    fi
fi
mkdir "$1" && mount -t tmpfs -o size=8g data "$1" && exec "$0" -g -- cat
"""


class Container:
    """One container, by its id."""

    def __init__(self, docker: Docker, identity: str, name: str) -> None:
        self.docker = docker
        self.id = identity
        self.name = name

    def inspect(self) -> dict[str, Any]:
        """What `docker inspect` shows."""
        found: dict[str, Any] = self.docker.call("GET", f"/containers/{self.id}/json")
        return found

    def address(self, network: str = "bridge") -> str:
        """Its IPv4 address on a network."""
        address: str = self.inspect()["NetworkSettings"]["Networks"][network]["IPAddress"]
        return address

    @property
    def running(self) -> bool:
        return bool(self.inspect()["State"]["Running"])

    @property
    def health(self) -> str:
        """`starting`, `healthy`, `unhealthy`; empty without a health check."""
        return str(self.inspect()["State"].get("Health", {}).get("Status", ""))

    def start(self) -> None:
        self.docker.call("POST", f"/containers/{self.id}/start")

    def stop(self, *, grace: int = 10) -> None:
        """As `docker stop`: its stop signal, SIGKILL after `grace` seconds; returns when it has ended."""
        self.docker.call("POST", f"/containers/{self.id}/stop", query={"t": grace})

    def kill(self, signal_name: str = "KILL") -> None:
        """As `docker kill`: only the signal."""
        self.docker.call("POST", f"/containers/{self.id}/kill", query={"signal": signal_name})

    def restart(self, *, grace: int = 10) -> None:
        self.docker.call("POST", f"/containers/{self.id}/restart", query={"t": grace})

    def rename(self, name: str) -> None:
        self.docker.call("POST", f"/containers/{self.id}/rename", query={"name": name})
        self.name = name

    def wait(self) -> int:
        """Waits until it has ended; its exit status."""
        ended = self.docker.call("POST", f"/containers/{self.id}/wait")
        return int(ended["StatusCode"])

    def remove(self) -> None:
        """As `docker rm --force`; nothing if it has gone."""
        with contextlib.suppress(DockerError):
            self.docker.call("DELETE", f"/containers/{self.id}", query={"force": True, "v": True})

    def logs(self) -> str:
        """What it wrote to both its outputs."""
        raw: bytes = (
            self.docker.call("GET", f"/containers/{self.id}/logs", query={"stdout": True, "stderr": True}) or b""
        )
        text = b""
        while raw:  # frames: stream, three zeroes, u32 length
            length = int.from_bytes(raw[4:8], "big")
            text, raw = text + raw[8 : 8 + length], raw[8 + length :]
        return text.decode("utf-8", "replace")


class Docker:
    """One engine. `live_restore`: containers go on while the engine is restarted."""

    def __init__(self, *, live_restore: bool = False, options: Sequence[str] = ()) -> None:
        _demand()
        self._directory = tempfile.TemporaryDirectory(prefix="daemun-docker-")
        self.path = Path(self._directory.name)
        self.socket = self.path / "docker.sock"
        self.host = f"unix://{self.socket}"
        self.api = DockerApi(self.socket)
        self._options = [*options, *(["--live-restore"] if live_restore else [])]
        self._names = itertools.count(1)
        self._networks: dict[str, str] = {}
        self._daemon: subprocess.Popen[bytes] | None = None
        self._claim, self._place = _claim()
        self.bridge = f"dmn{self._place}"
        _delete_bridges(self.bridge)
        _ip("link", "add", "name", self.bridge, "type", "bridge")
        _ip("address", "add", f"10.{self._place}.0.1/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        self._namespace = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
                *("sh", "-c", FIRST_PROCESS, _program("tini", "docker-init"), str(self.path / "data")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": _path(), "DAEMUN_TEST": TEST_RUN},
        )

    def __enter__(self) -> Docker:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print("the Docker engine's log:\n" + "\n".join(self.log().splitlines()[-40:]))
        self.close()

    def start(self) -> None:
        """Start the engine, with all that it kept."""
        (self.path / "docker.json").write_text("{}")  # not the machine's
        first = until(self._first_process, what="the namespaces")
        with open(self.path / "log", "ab") as log:
            self._daemon = subprocess.Popen(
                [
                    *(
                        "setpriv",
                        "--pdeathsig",
                        "KILL",
                        "nsenter",
                        "--target",
                        str(first),
                        "--mount",
                        "--pid",
                        "--root",
                        "--",
                    ),
                    *(_program("dockerd"), "--config-file", str(self.path / "docker.json")),
                    *("--data-root", str(self.path / "data"), "--exec-root", str(self.path / "exec")),
                    *("--pidfile", str(self.path / "pid"), "--host", self.host),
                    *("--bridge", self.bridge, "--ip-forward=false", "--ip-masq=false"),
                    *("--iptables=false", "--ip6tables=false", "--shutdown-timeout", "2"),
                    *("--default-address-pool", f"base=10.{self._place}.128.0/17,size=26"),
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": _path(), "DAEMUN_TEST": TEST_RUN},
            )
        until(lambda: self._lives() and self.api.answers(), what="the Docker engine's answer", limit=LIMIT * 2)

    def stop(self) -> None:
        """End the engine in order; with `live_restore` its containers go on."""
        self._end(signal.SIGTERM)

    def crash(self) -> None:
        """End the engine at once; its containers go on, until it starts again (without `live_restore`)."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """End everything: with the first process of a PID namespace all others end."""
        self._namespace.kill()
        self._namespace.wait()
        for pipe in (self._namespace.stdin, self._namespace.stdout):
            if pipe:
                pipe.close()
        if self._daemon:
            self._daemon.wait(LIMIT)
        _delete_bridges(self.bridge)
        self._claim.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._directory.cleanup()

    def log(self) -> str:
        """What the engine wrote."""
        return (self.path / "log").read_text("utf-8", "replace") if (self.path / "log").exists() else ""

    def call(self, method: str, target: str, body: object = None, *, query: Mapping[str, object] | None = None) -> Any:
        """One call of its interface: see DockerApi."""
        return self.api.call(method, target, body, query=query)

    def events(self) -> Events:
        return self.api.events()

    def image(self, name: str) -> str:
        """Import one of IMAGES, once; its name."""
        with contextlib.suppress(DockerError):
            self.call("GET", f"/images/{name}/json")
            return name
        image = IMAGES[name]
        changes = [f"CMD {json.dumps(image.command)}", *(f"EXPOSE {port}" for port in image.ports)]
        query = "&".join(f"changes={_quoted(change)}" for change in changes)
        self.call("POST", f"/images/create?fromSrc=-&repo={name}&{query}", image.archive())
        return name

    def create(
        self,
        image: str = "busybox",
        command: Sequence[str] | None = None,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        network: str = "bridge",
        networks: Sequence[str] = (),
        ports: Mapping[str, str] | None = None,
        expose: Sequence[str] = (),
        volumes: Sequence[str] = (),
        health: Mapping[str, object] | None = None,
        restart: str = "no",
        more: Mapping[str, object] | None = None,
    ) -> Container:
        """A container that is not started.

        `networks` are joined besides `network`. `ports` is container port (`80/tcp`) → host address and port (`127.0.0.1:0`).
        `volumes` are binds (`/here:/there`). `health` is the engine's Healthcheck. `more` goes into the body as it is.
        """
        name = name or f"test-{next(self._names)}"
        body: dict[str, object] = {
            "Image": self.image(image),
            "Labels": dict(labels or {}),
            "Env": [f"{k}={v}" for k, v in {"NAME": name, **(env or {})}.items()],
            "ExposedPorts": {port: {} for port in [*expose, *(ports or {})]},
            "HostConfig": {
                "NetworkMode": network,
                "Binds": list(volumes),
                "PortBindings": {port: [_binding(text)] for port, text in (ports or {}).items()},
                "RestartPolicy": {"Name": restart},
            },
            **({"Cmd": list(command)} if command else {}),
            **({"Healthcheck": dict(health)} if health else {}),
            **(more or {}),
        }
        made = self.call("POST", "/containers/create", body, query={"name": name})
        container = Container(self, made["Id"], name)
        for other in networks:
            self.call("POST", f"/networks/{other}/connect", {"Container": container.id})
        return container

    def run(self, image: str = "busybox", command: Sequence[str] | None = None, **options: Any) -> Container:
        """As `create`, and started."""
        container = self.create(image, command, **options)
        container.start()
        return container

    def containers(self) -> list[Container]:
        """All that there are, ended ones too."""
        listed = self.call("GET", "/containers/json", query={"all": True})
        return [Container(self, one["Id"], one["Names"][0].lstrip("/")) for one in listed]

    def network(self, name: str, **more: object) -> str:
        """Make a bridge network; `more` goes into the body as it is."""
        bridge = next(b for n in itertools.count(1) if (b := f"{self.bridge}-{n}") not in self._networks.values())
        options = {"com.docker.network.bridge.name": bridge}
        self.call("POST", "/networks/create", {"Name": name, "Options": options, **more})
        self._networks[name] = bridge
        return name

    def clear(self) -> None:
        """Remove all containers and networks; images stay."""
        try:
            self._remove_containers()
        except TimeoutError:
            # Docker 20.10 may miss that a container ended which was removed right after its start, and waits for ever.
            self.crash()
            self.start()
            self._remove_containers()
        for name in list(self._networks):
            with contextlib.suppress(DockerError):
                self.call("DELETE", f"/networks/{name}")
            del self._networks[name]

    def _remove_containers(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Container.remove, self.containers()))

    def _first_process(self) -> int:
        """The machine's id of the namespace's PID 1, once it only waits."""
        assert self._namespace.poll() is None, "no namespaces for the Docker engine"
        children = Path(f"/proc/{self._namespace.pid}/task/{self._namespace.pid}/children").read_text().split()
        ready = children and Path(f"/proc/{children[0]}/comm").read_text().strip() in {"tini", "docker-init"}
        return int(children[0]) if ready else 0

    def _lives(self) -> bool:
        assert self._daemon
        assert self._daemon.poll() is None, "the Docker engine ended:\n" + "\n".join(self.log().splitlines()[-20:])
        return True

    def _end(self, number: int) -> None:
        assert self._daemon
        children = Path(f"/proc/{self._daemon.pid}/task/{self._daemon.pid}/children").read_text().split()
        os.kill(int(children[0]), number)
        self._daemon.wait(LIMIT * 2)


def in_chroot() -> bool:
    """Whether this machine's root is another directory: there `docker exec`, and so a health check, sees that one."""
    # Entering a mount namespace, be it one's own, leads to its root.
    asked = ["nsenter", "--mount=/proc/self/ns/mnt", "stat", "--format=%d:%i", "/"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    here = Path("/").stat()
    return done.returncode == 0 and done.stdout.strip() != f"{here.st_dev}:{here.st_ino}"


def _demand() -> None:
    """Skips the test where no Docker engine can be started."""
    if os.geteuid() != 0:
        raise SkipTest("a Docker engine needs root")
    if shutil.which("dockerd", path=_path()) is None:
        raise SkipTest("no dockerd: `tools/setup.sh test` installs it")


def _claim() -> tuple[socket.socket, int]:
    """A place that no other test run on this machine has, given back when this process ends."""
    for place in PLACES:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0daemun-docker-{place}")  # lives in the network namespace, as bridges do
        except OSError:
            claim.close()
        else:
            return claim, place
    raise AssertionError(f"all of {len(PLACES)} places are taken")


def _delete_bridges(prefix: str) -> None:
    for interface in Path("/sys/class/net").iterdir():
        if interface.name == prefix or interface.name.startswith(f"{prefix}-"):
            _ip("link", "delete", interface.name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, env={"PATH": _path()})


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name, path=_path()))), None)
    if found is None:
        raise SkipTest(f"no {' or '.join(names)}: `tools/setup.sh test` installs it")
    return found


def _path() -> str:
    # Debian's programs first: a client elsewhere on the PATH may be of another version.
    return f"/usr/sbin:/sbin:/usr/bin:/bin:{os.environ['PATH']}"


def _binding(text: str) -> dict[str, str]:
    host, _, port = text.rpartition(":")
    return {"HostIp": host, "HostPort": port}


def _quoted(text: str) -> str:
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)
