"""Files to the Plan: the route's action, the table of media types, and the root that is not there."""

from __future__ import annotations

from pathlib import Path

from daemun.plan import files as plan
from daemun.plan.plan import Plan
from daemun.plan.template import Literal
from daemun.traefik.check import check
from daemun.traefik.entry_point import EntryPoint
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text
from daemun.traefik.static import Static

ROUTER = "routers: {r: {rule: Host(`a`), service: s}}"


def lowered(options: str, *, file: str = "/etc/gate/d.yml", more: str = "") -> tuple[Plan, list[str]]:
    text = f"http: {{{ROUTER}, services: {{s: {{files: {options}{more}}}}}}}"
    dynamic, problems = load_dynamic_text(text, file=file)
    assert problems == []
    made, problems = lower(Static(entry_points={"web": EntryPoint(address=":80")}), dynamic, hostname="gate")
    return made, [problem.message for problem in problems]


def action(made: Plan) -> plan.Files:
    found = made.routes["r@file"].action
    assert isinstance(found, plan.Files)
    return found


def test_a_relative_root_is_beside_its_file() -> None:
    """Wherever the command was started."""
    assert action(lowered("{root: site/}")[0]).root == (Literal("/etc/gate/site"),)
    assert action(lowered("{root: /srv/www/}")[0]).root == (Literal("/srv/www"),)
    assert action(lowered("{root: .}")[0]).root == (Literal("/etc/gate"),)


def test_options_become_fields() -> None:
    """Each option is a field of the action; media types stand once in the Plan."""
    made, problems = lowered("{root: /s, spa: true, listing: json, precompressed: [zstd, gzip], symlinks: refuse}")
    assert problems == []
    found = action(made)
    assert found.fallback == "/index.html"
    assert found.max_ranges == 100
    assert found.listing == plan.Listing(
        format=plan.ListingFormat.JSON, exact_size=True, local_time=False, charset="utf-8"
    )
    assert found.precompressed.codings == (plan.Coding.ZSTD, plan.Coding.GZIP)
    assert found.precompressed.vary
    assert found.symlinks == plan.Refuse(from_=(Literal("/s"),))
    assert made.mime_types[found.types]["html"] == "text/html; charset=utf-8"
    assert "s@file" not in made.services


def test_a_plan_without_files_has_no_media_types() -> None:
    """What is not used is not there."""
    dynamic, _ = load_dynamic_text("http: {services: {}}", file="d.yml")
    assert lower(Static(), dynamic, hostname="gate")[0].mime_types == {}


def test_two_kinds_in_one_service() -> None:
    """Files and servers in one service are an error."""
    _, problems = lowered("{root: /s}", more=", loadBalancer: {servers: []}")
    assert problems == ["the service 's' has files and a loadBalancer; the files are served"]


def test_a_root_that_is_not_there_is_said(tmp_path: Path) -> None:
    """`check` looks; a file in its place is no directory."""
    (tmp_path / "file").write_text("")
    for root, message in (("gone", "there is no directory"), ("file", "not a directory"), (".", None)):
        file = tmp_path / "d.yml"
        file.write_text(f"http: {{{ROUTER}, services: {{s: {{files: {{root: {root}}}}}}}}}")
        said = [problem.message for problem in check([file])]
        assert said == ([] if message is None else [f"{message}: {tmp_path / root}"])
