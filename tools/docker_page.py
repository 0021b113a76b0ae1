"""Writes docs/reference/docker.md: labels from the models, template functions from their table, so that it cannot lie.

`python -m tools.docker_page` writes the page; a house test compares. The words around the tables stand here.
"""

from __future__ import annotations

from pathlib import Path

from daemun.providers.docker.address import DockerLabels
from daemun.providers.docker.exposure import ContainerLabels
from daemun.providers.docker.services import ServerLabels
from daemun.traefik.dynamic import LoadBalancer, Router
from daemun.traefik.go_template_functions import NAMES
from daemun.traefik.middlewares import Middleware
from daemun.traefik.tls import GeneratedCert
from tools.configuration_page import not_yet, table

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "docker.md"
_HEAD = """# Docker labels

<!-- Written by `python -m tools.docker_page`; do not edit by hand. -->

With `providers.docker` in the static configuration, containers announce themselves by their labels, as they do to Traefik:

```yaml
services:
  web:
    image: my-fastapi
    labels:
      - "traefik.http.routers.fastapi.rule=Host(`yourdomain.com`)"
      - "traefik.http.routers.fastapi.tls.certresolver=letsencrypt"
```

The options of the provider itself stand in [the reference of the configuration](configuration.md). What every router, service and
middleware means stands there too; a label is `traefik.` before the option's name.

## Which containers

In this order, a container is left out

1. when it does not run, unless it has the label `traefik.docker.allowNonRunning=true`: its routers then answer 503. A paused
   container does not run.
2. without `traefik.enable=true`, when `exposedByDefault` is false; with `traefik.enable=false` always. The log says at the
   level INFO which label is missing, and the [API](api.md) at `/api/docker/containers`.
3. when its labels are not what `constraints` asks for.
4. while its health check says `starting` or `unhealthy`, unless `allowEmptyServices` is true: its routers then answer 503.

## Names, rule, service

A container that defines no service has one of its own name, and one that defines no router has a router of that name. The name
is `<service>-<project>` of Compose, else the container's, with one dash for each run of characters that are neither letters
nor digits: the service `web_app` of the project `shop` is `web-app-shop`, at other providers `web-app-shop@docker`.

A router without `rule` has the `defaultRule`. A router without `service` has the container's service, if there is only one;
with several it is an error, and the router is left out. A container with several services and no router gets none.

## Address and port

- The port is the label `loadbalancer.server.port`, else the lowest TCP port the container exposes. Without either there is no server:
  an error for a container that asks for something, worth knowing for one that does not (a worker, a database).
- The network is the label `traefik.docker.network`, else the provider's `network`; the name is the engine's, so Compose's
  project stands before it (`shop_front`). When none is named, or the named one is not there, it is the first by name, with a
  warning if there are several.
- IPv4 comes before IPv6. A container in the host's network is reached at the host, one with `network_mode: "container:…"` or
  `"service:…"` at the container whose network it shares.
- With `useBindPortIP` it is the host's address and port to which the container's port is bound, unless that is all addresses.
- `loadbalancer.server.url` names all of it, without `port` and `scheme` beside it.

## Labels

Names are read in any case. A list is one text with commas; a list of sections has indices: `tls.domains[0].main`. `tls=true`
switches TLS on, alone or beside `tls.certResolver`; `tls=false` switches off whatever stands below it.

"""
_MORE = """
A label that cannot be used is reported with its container, its name, and the nearest name that is known:

```
container shop-web-1 (label traefik.http.routers.fastapi.rul): error: unknown option 'rul' in http.routers.fastapi
  did you mean 'rule'?
```

It spoils the router, service or middleware it belongs to, and nothing else. What is known and not yet served is reported too:

"""
_REACH = """
## What labels cannot set

Whoever may start a container must not thereby read files or weaken TLS. These are refused by name, and can be named by a label
when a file defines them (`tls.options=strict@file`):

- `http.serversTransports`, a router's `parentRefs`, `tls.options`, `tls.certificates`, `tls.stores` but for `default`, and its `defaultCertificate`;
- services that are `weighted`, `mirroring`, `failover` or `highestRandomWeight`, and Daemun's own `files`;
- a server that is a Unix socket (`server.url=unix:///…`).

## Several containers

Containers that define the same service are its servers, each address once, in the order of the containers' names, if they agree
on everything else about it. Routers and middlewares of the same name must be equal. Where they are not, none is used, and both
containers are named.

## Default rule

A template in Go's language: `{{ … }}` with `.Name` (the name as above), `.ContainerName` and `.Labels`; pipelines, `if`, `with`,
`range` and variables.

```yaml
defaultRule: "Host(`{{ index .Labels \\"com.docker.compose.service\\" }}.example.com`)"
```

Its functions are Go's, sprig's and `normalize`, with their meaning there:

"""
_CONSTRAINTS = """
A template that cannot be read is an error of the static configuration; one that fails on a container is reported with that
container.

## Constraints

``Label(`name`, `value`)`` and ``LabelRegex(`name`, `pattern`)``, joined by `&&`, `||`, `!` and parentheses. A label that is absent is an
empty text; a pattern is RE2 and may be found anywhere. The labels may be any, not only those of `traefik.`.

## Where this differs from Traefik

- A mistyped label spoils its own entry; Traefik leaves out the whole container.
- What labels cannot set is an error with its label; Traefik says nothing. Unknown labels below `traefik.` are reported, those
  that no constraint names and that resemble nothing only at the level INFO.
- Among several networks Traefik takes any, another one each time; here it is the first by name, and a warning.
- The port of a service is one of TCP; Traefik takes the lowest of any protocol.
- A health check that an engine calls `none` is no health check.
- Where a template writes `<no value>`, or a pattern in it or in `constraints` cannot be read, that is an error, not a rule that
  fits nobody. `define`, `template` and `block` are not read, nor functions of sprig that are not listed above.
- Routers and services that several containers define come in the order of the containers' names.
"""


def page() -> str:
    """The whole page."""
    balancer = [
        line for line in table(LoadBalancer, f"{_SERVICE}.loadBalancer", head=False).splitlines() if "[]" not in line
    ]
    labels = [
        table(ContainerLabels, "traefik"),
        table(DockerLabels, "traefik.docker", head=False),
        table(Router, _ROUTER, head=False),
        table(ServerLabels, f"{_SERVICE}.loadBalancer.server", head=False),
        "".join(f"{line}\n" for line in balancer),
        table(Middleware, _MIDDLEWARE, head=False),
        table(GeneratedCert, "traefik.tls.stores.default.defaultGeneratedCert", head=False),
    ]
    # parentRefs is among what labels cannot set.
    routers = [line for line in not_yet(Router, _ROUTER).splitlines() if "`parentRefs`" not in line]
    later = [
        "".join(f"{line}\n" for line in routers),
        not_yet(LoadBalancer, f"{_SERVICE}.loadBalancer"),
        not_yet(Middleware, _MIDDLEWARE),
        "- `traefik.tcp`, `traefik.udp`\n",
    ]
    functions = f"{', '.join(f'`{name}`' for name in sorted(NAMES))}.\n"
    return "".join([_HEAD, *labels, _MORE, *later, _REACH, functions, _CONSTRAINTS])


_ROUTER = "traefik.http.routers.<name>"
_SERVICE = "traefik.http.services.<name>"
_MIDDLEWARE = "traefik.http.middlewares.<name>"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
