"""A `daemun run` with TLS, its certificates in files: what the feature tests of the language share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.kit.authority import Authority, Issued
from tests.kit.daemun import ControlPlane, Instance
from tests.kit.origin import Origin, Script, echo

AUTHORITY = Authority()
STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[entryPoints.web.http.tls]
[entryPoints.plain]
address = "127.0.0.1:0"
[providers.file]
filename = "dynamic.yml"
[log]
level = "info"
"""


@contextlib.contextmanager
def served(
    dynamic: str, *, static: str = STATIC, script: Script = echo, **pairs: Issued
) -> Iterator[tuple[Instance, ControlPlane]]:
    """An instance with this dynamic file; a service `app` and routers below `http:` are written around it.

    `dynamic` holds routers, at four blanks; pairs are files NAME.crt and NAME.key beside it, all of them named by
    `tls.certificates`. `{here}` is the folder, `{origin}` the address behind it.
    """
    with Instance() as instance, Origin(script) as origin:
        for name, issued in pairs.items():
            issued.write(instance.path, name)
        instance.write("daemun.toml", static)
        instance.write("dynamic.yml", whole(instance, dynamic, origin.address, *pairs))
        yield instance, instance.run()


def whole(instance: Instance, dynamic: str, origin: str, *pairs: str) -> str:
    """The dynamic file: certificates, then what the test says, then the service."""
    listed = "".join(
        f"    - {{certFile: {instance.path}/{name}.crt, keyFile: {instance.path}/{name}.key}}\n" for name in pairs
    )
    certificates = f"  certificates:\n{listed}" if listed else "  certificates: []\n"
    options, _, routers = dynamic.rpartition("---\n")
    service = f"    app: {{loadBalancer: {{servers: [{{url: 'http://{origin}'}}]}}}}\n"
    text = f"tls:\n{certificates}{options}http:\n  routers:\n{routers}  services:\n{service}"
    return text.replace("{here}", str(instance.path)).replace("{origin}", origin)
