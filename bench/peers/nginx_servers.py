"""One nginx.conf with thousands of servers, and who is started on it: nginx itself, and `daemun nginx` with the same words.

The servers are those of a hosting provider: two names each, one of a few applications behind it, half of them with the
usual fields for the application, and a folder of static files.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from bench import control, machine
from bench.peers import daemun
from bench.peers.running import Address, fill
from bench.process import Process, which

APPLICATIONS = 20
FIELDS = """
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;"""


def configuration(folder: Path, listen: Address, origin: Address, *, count: int) -> Path:
    """Writes the file into `folder`; returns it. Every application is the origin."""
    values = {
        "user": "user root;" if os.geteuid() == 0 else "",
        "folder": folder,
        "servers": "".join([*_upstreams(origin), *(_server(number, listen, folder) for number in range(count))]),
    }
    return fill("nginx_servers.conf", folder, values)


def host(number: int) -> str:
    """The name of a server."""
    return f"www.h{number}.bench.test"


def start_nginx(config: Path) -> Process:
    """Starts nginx; it may not listen yet."""
    return _start("nginx", [which("nginx")], config)


def start_daemun(config: Path) -> Process:
    """Starts Daemun in its place; it may not listen yet."""
    return _start("daemun", [str(control.command()), "nginx"], config)


def _start(name: str, command: Sequence[str], config: Path) -> Process:
    words = [*command, "-p", str(config.parent), "-c", str(config), "-e", "stderr"]
    return Process(name, words, core=machine.PROXY_CORE, env={"DAEMUN_ENGINE": str(daemun.binary())})


def _upstreams(origin: Address) -> list[str]:
    server = "{}:{}".format(*origin)
    return [
        f"\n    upstream app{number} {{\n        server {server};\n        keepalive 16;\n    }}\n"
        for number in range(APPLICATIONS)
    ]


def _server(number: int, listen: Address, folder: Path) -> str:
    return f"""
    server {{
        listen {listen[0]}:{listen[1]};
        server_name h{number}.bench.test {host(number)};

        location / {{
            proxy_pass http://app{number % APPLICATIONS};{FIELDS if number % 2 else ""}
        }}

        location /static/ {{
            alias {folder}/h{number}/;
            expires 1h;
        }}
    }}
"""
