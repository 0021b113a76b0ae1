"""Keys with a password: nginx's `ssl_password_file` has one a line, and one of them opens the key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from daemun.certificates.material import opened
from daemun.errors import CertificateError

KEY = ec.generate_private_key(ec.SECP256R1())
PLAIN = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
CLOSED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right")).decode()


def test_one_of_the_passwords_opens_it() -> None:
    """The wrong ones before it do no harm."""
    assert opened(CLOSED, ["wrong", "right"]) == PLAIN


def test_a_key_without_a_password_stays() -> None:
    """The file of passwords may stand beside keys that have none."""
    assert opened(PLAIN, ["any"]) == PLAIN


def test_none_of_them_opens_it() -> None:
    """That is said, without the passwords."""
    with pytest.raises(CertificateError, match="no password of the file opens the key"):
        opened(CLOSED, ["wrong"])
