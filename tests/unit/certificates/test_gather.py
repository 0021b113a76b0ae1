"""What is at hand for a configuration, and what is still wished for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from daemun.certificates.gather import Gathered, Gatherer, covered_names
from daemun.certificates.material import Material, parse
from daemun.needs import FALLBACK
from daemun.traefik.certificate_needs import certificate_needs
from daemun.traefik.read import load_dynamic_text, load_static
from tests.kit.authority import Authority, Issued

NOW = datetime.now(UTC)
AUTHORITY = Authority()
STATIC = """
entryPoints:
  web: {address: ':80'}
  secure: {address: ':443', http: {tls: {}}}
certificatesResolvers: {le: {acme: {tlsChallenge: {}}}}
"""


def material(issued: Issued) -> Material:
    return parse(issued.chain, issued.key)


def gathered(
    gatherer: Gatherer, text: str, others: dict[str, Material] | None = None, *, now: datetime = NOW
) -> Gathered:
    dynamic, problems = load_dynamic_text(text, file="d.yml")
    assert problems == []
    needs, _ = certificate_needs(load_static(STATIC, file="t.yml")[0], dynamic)
    return gatherer.gather(needs, gatherer.read(needs, now=now), others or {}, now=now)


def router(rule: str, more: str = "") -> str:
    return f"http: {{routers: {{r: {{rule: '{rule}', service: s{more}}}}}}}\n"


def test_the_default_certificate(tmp_path: Path) -> None:
    """Made once, and anew before it ends; not at all where the configuration has one."""
    gatherer = Gatherer(data_dir=tmp_path / "data")
    first, again = gathered(gatherer, "{}"), gathered(gatherer, "{}")
    assert first.at_hand.fallback == FALLBACK
    assert first.materials[FALLBACK] is again.materials[FALLBACK]
    assert first.at_hand.certificates[FALLBACK].names == ()
    assert first.until is not None
    later = gathered(gatherer, "{}", now=first.until)
    assert later.materials[FALLBACK] is not first.materials[FALLBACK]
    AUTHORITY.issue("d.org").write(tmp_path, "d")
    text = f"tls: {{stores: {{default: {{defaultCertificate: {{certFile: {tmp_path}/d.crt, keyFile: {tmp_path}/d.key}}}}}}}}"
    own = gathered(gatherer, text)
    assert own.at_hand.fallback is None
    assert own.until is None
    assert not (tmp_path / "data").exists()


def test_local_names(tmp_path: Path) -> None:
    """They are signed by the local authority unless a file covers them."""
    gatherer = Gatherer(data_dir=tmp_path / "data")
    text = router("Host(`localhost`) || Host(`nas`) || Host(`a.org`)", ", tls: {}")
    assert set(gathered(gatherer, text).materials) == {FALLBACK, "local-localhost", "local-nas"}
    AUTHORITY.issue("nas").write(tmp_path, "n")
    text += f"tls: {{certificates: [{{certFile: {tmp_path}/n.crt, keyFile: {tmp_path}/n.key}}]}}\n"
    made = gathered(gatherer, text)
    assert "local-nas" not in made.materials
    assert "local-localhost" in made.materials
    assert made.until is not None
    assert made.until < NOW + timedelta(days=61)


def test_an_authority_that_cannot_be_used(tmp_path: Path) -> None:
    """It is said for which names; everything else goes on."""
    (tmp_path / "data").touch()
    made = gathered(Gatherer(data_dir=tmp_path / "data"), router("Host(`localhost`)", ", tls: {}"))
    assert set(made.materials) == {FALLBACK}
    [problem] = made.problems
    assert "localhost: the local authority" in problem.message


def test_what_a_source_has(tmp_path: Path) -> None:
    """It is at hand under its ids, with the names it says."""
    made = gathered(Gatherer(data_dir=tmp_path), "{}", {"acme-x": material(AUTHORITY.issue("x.org", "y.org"))})
    assert made.at_hand.certificates["acme-x"].names == ("x.org", "y.org")
    assert "acme-x" in made.materials


def test_covered_names(tmp_path: Path) -> None:
    """Those of pairs that are shown and can be read; a pair that is only shown to servers covers nothing."""
    for name in ("x", "client"):
        AUTHORITY.issue(f"*.{name}.org").write(tmp_path, name)
    text = f"""
tls:
  certificates:
    - {{certFile: {tmp_path}/x.crt, keyFile: {tmp_path}/x.key}}
    - {{certFile: {tmp_path}/gone.crt, keyFile: {tmp_path}/gone.key}}
http:
  serversTransports: {{t: {{certificates: [{{certFile: {tmp_path}/client.crt, keyFile: {tmp_path}/client.key}}]}}}}
"""
    needs, _ = certificate_needs(load_static(STATIC, file="t.yml")[0], load_dynamic_text(text, file="d.yml")[0])
    assert covered_names(needs, Gatherer(data_dir=tmp_path).read(needs, now=NOW)) == {"*.x.org"}
