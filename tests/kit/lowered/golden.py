"""All golden Plans by name; `python -m tests.kit.lowered.golden` writes them (PYTHONPATH=src:.).

The files are what both languages' tests read; a test holds them and these functions together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemun.plan.plan import Plan
from daemun.plan.pretty import pretty
from tests.kit.lowered import admission, every_type, locations, rewriting, seeds, traefik
from tests.kit.lowered.nginx import SOURCES

PLANS: Mapping[str, Callable[[], Plan]] = {
    "traefik-dev": traefik.development,
    "traefik-prod": traefik.production,
    "nginx-basic": seeds.nginx_basic,
    "nginx-light": seeds.nginx_light,
    "nested-locations": locations.nested_locations,
    "prefix-against-regex": locations.prefix_against_regex,
    "rewrite-last": rewriting.rewrite_last,
    "if-and-set": rewriting.if_and_set,
    "map": rewriting.map_,
    "error-page-named": rewriting.error_page_named,
    "try-files": locations.try_files,
    "auth-request": admission.auth_request,
    "mirror": admission.mirror,
    "proxy-pass-uri": locations.proxy_pass_uri,
    "server-name-captures": locations.server_name_captures,
    "every-type": every_type.every_type,
}


def write() -> None:
    """Write every golden file anew."""
    for name, lowered in PLANS.items():
        (SOURCES / f"{name}.json").write_text(pretty(lowered()), encoding="utf-8")


if __name__ == "__main__":
    write()
