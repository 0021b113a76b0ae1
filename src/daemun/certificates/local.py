"""A certificate authority of the user's own, for names that no public one signs.

    data directory: authority.pem (0600: the key and the root), authority.crt (the root alone, to be trusted)

Facts (RFC 5280): a root may be confined to ranges of addresses; it cannot be confined to names without a dot, so the
names are judged when a certificate is asked for. Decisions: made once, and linked into place, so that two processes that
begin together have the same one; the key is nowhere else; certificates are for 90 days, stay in memory, and are renewed
when a third of that is left; each name has its own, all addresses share one (no SNI tells them apart, RFC 6066).
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from daemun.certificates import making
from daemun.certificates.material import Material, parse
from daemun.config.local_names import address_of, is_local
from daemun.errors import CertificateError
from daemun.plan.scalars import Id
from daemun.whole_file import replace_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

NAME = "Daemun Local Authority"
DAYS, RENEWED = 90, timedelta(days=30)
_ROOT_DAYS = 3650
_ADDRESSES: Id = "local-addresses"
_PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip


def default_data_dir(*, environ: Mapping[str, str] = os.environ, uid: int | None = None) -> Path:
    """Return where what must outlive a restart of the machine is kept: /var/lib/daemun for root, else the user's."""
    if environ.get("DAEMUN_DATA_DIR"):
        return Path(environ["DAEMUN_DATA_DIR"])
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/var/lib/daemun")
    home = environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "daemun"


class LocalAuthority:
    """The authority of one data directory: made when it is first needed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._issued: dict[Id, tuple[tuple[str, ...], Material]] = {}
        self._read: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None

    @property
    def root_path(self) -> Path:
        """The root's file, for whoever is to trust it."""
        return self.directory / "authority.crt"

    def provide(self, names: Iterable[str], *, now: datetime) -> Mapping[Id, Material]:
        """Return certificates for these names, by id; those in use stay until they must be renewed.

        Raises CertificateError when the authority cannot be used, or a name is not its to sign.
        """
        wanted: dict[Id, tuple[str, ...]] = {}
        for name in names:
            if address_of(name) is not None:
                wanted[_ADDRESSES] = (*wanted.get(_ADDRESSES, ()), str(address_of(name)))
            else:
                wanted[f"local-{name}"] = (name,)
        before, self._issued = self._issued, {}
        for one, of in wanted.items():
            kept = before.get(one)
            if kept is None or kept[0] != of or kept[1].not_after - RENEWED <= now:
                kept = (of, self.issue(of, now=now))
            self._issued[one] = kept
        return {one: material for one, (_, material) in self._issued.items()}

    def issue(self, names: tuple[str, ...], *, now: datetime) -> Material:
        """Return a new certificate. Raises CertificateError."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        for name in names:
            if not is_local(name):
                raise CertificateError(f"{name} is not a local name: the local authority signs no public ones")
        authority_key, root = self._authority(now)
        key = making.new_key()
        builder = making.begin(names[0], root.subject, now=now, days=DAYS).public_key(key.public_key())
        certificate = (
            making.server_usage(builder)
            .add_extension(making.alternative_names(names), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        return parse(making.pem(certificate), making.key_pem(key))

    def root(self, *, now: datetime) -> str:
        """Return the root as PEM, making the authority when there is none. Raises CertificateError."""
        return making.pem(self._authority(now)[1])

    def exists(self) -> bool:
        """Tell whether the authority was made."""
        return self._path.exists()

    @property
    def _path(self) -> Path:
        return self.directory / "authority.pem"

    def _authority(self, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        if self._read is None:
            try:
                if not self._path.exists():
                    self._make(now)
                self._read = self._open()
            except OSError as error:
                raise CertificateError(
                    f"the local authority in {self.directory} cannot be used: {error.strerror or error}",
                    remedy="name a directory that can be written: --data-dir, or DAEMUN_DATA_DIR",
                ) from None
        key, root = self._read
        if root.not_valid_after_utc < now + timedelta(days=DAYS):
            raise CertificateError(
                f"the local authority ends on {root.not_valid_after_utc:%Y-%m-%d}",
                remedy=f"remove {self.directory}, start again and run daemun trust",
            )
        return key, root

    def _open(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        mode = stat.S_IMODE(self._path.stat().st_mode)
        if mode & 0o077:
            raise CertificateError(
                f"{self._path} may be read by others (mode {mode:o})", remedy=f"chmod 600 {self._path}"
            )
        text = self._path.read_bytes()
        damaged = CertificateError(f"{self._path} is damaged", remedy=f"remove {self.directory} and run daemun trust")
        try:
            key = load_pem_private_key(text, password=None)
            root = x509.load_pem_x509_certificate(text)
        except ValueError:
            raise damaged from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise damaged
        if not self.root_path.exists():
            self._publish(making.pem(root))
        return key, root

    def _make(self, now: datetime) -> None:
        """Make key and root, and put them into place unless somebody else was first."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        key = making.new_key()
        builder = (
            making.begin(f"{NAME} {os.urandom(4).hex()}", None, now=now, days=_ROOT_DAYS)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(making.usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.NameConstraints(permitted_subtrees=making.networks(*_PRIVATE), excluded_subtrees=None),
                critical=True,
            )
        )
        root = making.pem(builder.sign(key, hashes.SHA256()))
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".authority-", dir=self.directory)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(making.key_pem(key) + root)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(name, self._path)
            except FileExistsError:
                return
        finally:
            Path(name).unlink()
        self._publish(root)

    def _publish(self, root: str) -> None:
        """Write the root where people find it; everybody may read it."""
        replace_file(self.root_path, root.encode(), mode=0o644)
