"""The local authority: made once, kept to its owner, confined, and its certificates verified by others than us."""

from __future__ import annotations

import ipaddress
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from daemun.certificates.local import RENEWED, LocalAuthority, default_data_dir
from daemun.certificates.material import Material
from daemun.errors import CertificateError

NOW = datetime.now(UTC)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def verified(authority: LocalAuthority, material: Material, folder: Path, *more: str) -> str:
    """What `openssl verify` says of a certificate; empty when it believes it."""
    (folder / "leaf.pem").write_text(material.chain)
    command = ["openssl", "verify", "-purpose", "sslserver", "-x509_strict", "-CAfile", str(authority.root_path), *more]
    done = subprocess.run([*command, str(folder / "leaf.pem")], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_kept_to_its_owner(tmp_path: Path) -> None:
    """The key is 0600 in a directory that is 0700; the root is there for everybody, without the key."""
    authority = LocalAuthority(tmp_path / "data")
    authority.issue(("localhost",), now=NOW)
    assert mode(tmp_path / "data") == 0o700
    assert mode(tmp_path / "data" / "authority.pem") == 0o600
    assert mode(authority.root_path) == 0o644
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"authority.pem", "authority.crt"}
    assert "PRIVATE" not in authority.root_path.read_text()


def test_made_once(tmp_path: Path) -> None:
    """Another process has the same one, also one that began at the same moment."""
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path;"
        "from daemun.certificates.local import LocalAuthority;"
        "print(LocalAuthority(Path(sys.argv[1])).root(now=datetime.now(UTC)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    environ = {"PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) for _ in range(4)]
    roots = {process.communicate(timeout=60)[0].strip() for process in started}
    assert {process.returncode for process in started} == {0}
    assert roots == {LocalAuthority(tmp_path / "data").root(now=NOW).strip()}
    assert roots == {(tmp_path / "data" / "authority.crt").read_text().strip()}


def test_openssl_believes_it(tmp_path: Path) -> None:
    """For the name it was made for, for 90 days, strictly."""
    authority = LocalAuthority(tmp_path / "data")
    material = authority.issue(("localhost", "127.0.0.1", "::1"), now=NOW)
    assert material.names == ("localhost", "127.0.0.1", "::1")
    assert verified(authority, material, tmp_path, "-verify_hostname", "localhost") == ""
    assert verified(authority, material, tmp_path, "-verify_ip", "127.0.0.1") == ""
    assert "mismatch" in verified(authority, material, tmp_path, "-verify_hostname", "other")
    assert material.not_after - NOW == timedelta(days=90) - timedelta(microseconds=NOW.microsecond)


@pytest.mark.parametrize("name", ["example.org", "8.8.8.8", "*.org", "*", "a b"])
def test_public_names_are_not_signed(tmp_path: Path, name: str) -> None:
    """Whoever trusts this authority trusts it for local names only."""
    authority = LocalAuthority(tmp_path)
    with pytest.raises(CertificateError, match="not a local name"):
        authority.issue(("localhost", name), now=NOW)
    assert not authority.exists()


def test_confined_to_private_addresses(tmp_path: Path) -> None:
    """The root itself says so: not even its thief can sign for a public address, nor make authorities below it."""
    authority = LocalAuthority(tmp_path / "data")
    root = x509.load_pem_x509_certificate(authority.root(now=NOW).encode())
    constraints = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = [one.value for one in constraints.value.permitted_subtrees or []]
    assert ipaddress.ip_network("127.0.0.0/8") in permitted
    assert all(network.is_private or network == ipaddress.ip_network("100.64.0.0/10") for network in permitted)
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)


def test_each_name_its_own(tmp_path: Path) -> None:
    """Names apart, addresses together; asked again nothing is made anew."""
    authority = LocalAuthority(tmp_path)
    first = authority.provide(["localhost", "10.0.0.1", "nas", "[::1]"], now=NOW)
    assert {one: material.names for one, material in first.items()} == {
        "local-localhost": ("localhost",),
        "local-addresses": ("10.0.0.1", "::1"),
        "local-nas": ("nas",),
    }
    again = authority.provide(["localhost", "nas", "10.0.0.1"], now=NOW)
    assert again["local-nas"] is first["local-nas"]
    assert again["local-addresses"].names == ("10.0.0.1",)


def test_renewed_by_itself(tmp_path: Path) -> None:
    """When a third of its life is left, not before."""
    authority = LocalAuthority(tmp_path)
    [first] = authority.provide(["localhost"], now=NOW).values()
    due = first.not_after - RENEWED
    [same] = authority.provide(["localhost"], now=due - timedelta(seconds=1)).values()
    assert same is first
    [new] = authority.provide(["localhost"], now=due).values()
    assert new.not_after > first.not_after


def test_an_open_key_is_refused(tmp_path: Path) -> None:
    """What others may have read is not used, and it is said how to close it."""
    LocalAuthority(tmp_path).root(now=NOW)
    (tmp_path / "authority.pem").chmod(0o640)
    with pytest.raises(CertificateError, match="mode 640") as refused:
        LocalAuthority(tmp_path).root(now=NOW)
    assert refused.value.remedy.startswith("chmod 600 ")


def test_a_damaged_one(tmp_path: Path) -> None:
    """It is said, and nothing is overwritten."""
    LocalAuthority(tmp_path).root(now=NOW)
    (tmp_path / "authority.pem").write_text("nothing")
    with pytest.raises(CertificateError, match="is damaged"):
        LocalAuthority(tmp_path).root(now=NOW)
    assert (tmp_path / "authority.pem").read_text() == "nothing"


def test_a_lost_root_file(tmp_path: Path) -> None:
    """The public half is written anew from the kept one."""
    root = LocalAuthority(tmp_path).root(now=NOW)
    (tmp_path / "authority.crt").unlink()
    assert LocalAuthority(tmp_path).root(now=NOW) == root
    assert (tmp_path / "authority.crt").read_text() == root


def test_an_old_one(tmp_path: Path) -> None:
    """No certificate outlives its root."""
    authority = LocalAuthority(tmp_path)
    authority.root(now=NOW)
    with pytest.raises(CertificateError, match="ends on"):
        authority.issue(("localhost",), now=NOW + timedelta(days=3600))


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """It is said which, and how to name another."""
    (tmp_path / "file").touch()
    with pytest.raises(CertificateError, match="cannot be used") as refused:
        LocalAuthority(tmp_path / "file" / "data").root(now=NOW)
    assert "--data-dir" in refused.value.remedy


def test_where_it_is_kept() -> None:
    """Beside what is kept for ever, not in the state directory, which a restart of the machine empties."""
    assert default_data_dir(environ={}, uid=0) == Path("/var/lib/daemun")
    assert default_data_dir(environ={"XDG_DATA_HOME": "/x"}, uid=1) == Path("/x/daemun")
    assert default_data_dir(environ={}, uid=1) == Path.home() / ".local/share/daemun"
    assert default_data_dir(environ={"DAEMUN_DATA_DIR": "/y"}, uid=0) == Path("/y")
