"""acme.json: as Traefik writes it, changed without loss, refused when it is open or damaged."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from daemun.acme import store
from daemun.acme.keys import make_account_key, read_account_key
from daemun.acme.store import Account, StorageError, Stored
from daemun.certificates.material import parse
from tests.kit.authority import Authority, Issued

CA = Authority("A Certificate Authority")
ACCOUNT_KEY = make_account_key()


def traditional(issued: Issued) -> str:
    """The key as lego writes it: `EC PRIVATE KEY` or `RSA PRIVATE KEY`."""
    key = load_pem_private_key(issued.key.encode(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def entry(issued: Issued, **more: Any) -> dict[str, Any]:
    """A certificate in the file."""
    main, *sans = issued.names
    return {
        "domain": {"main": main, **({"sans": sans} if sans else {})},
        "certificate": base64.b64encode(issued.chain.encode()).decode(),
        "key": base64.b64encode(traditional(issued).encode()).decode(),
        "Store": "default",
        **more,
    }


def traefik(*issued: Issued) -> dict[str, Any]:
    """What Traefik's own program writes for a resolver `le`, older members included."""
    return {
        "le": {
            "Account": {
                "Email": "who@example.com",
                "Registration": {
                    "body": {"status": "valid", "contact": ["mailto:who@example.com"]},
                    "uri": "https://ca.example/acct/1",
                },
                "PrivateKey": base64.b64encode(ACCOUNT_KEY).decode(),
                "KeyType": "4096",
            },
            "Certificates": [entry(one) for one in issued] or None,
        },
        "unused": {"Account": None, "Certificates": None},
    }


def written(path: Path, content: object) -> Path:
    file = path / "acme.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    file.chmod(0o600)
    return file


def material(issued: Issued) -> Stored:
    return Stored(resolver="le", names=issued.names, material=parse(issued.chain, issued.key))


def test_traefiks_file_is_read(tmp_path: Path) -> None:
    """Account and certificates of a file that Traefik wrote, RSA and EC keys in their traditional form."""
    one, two = CA.issue("a.example", "b.example", kind="RSA-2048"), CA.issue("*.c.example")
    storage = store.read(written(tmp_path, traefik(one, two)))
    account = storage.account("le")
    assert account is not None
    assert (account.email, account.uri) == ("who@example.com", "https://ca.example/acct/1")
    assert isinstance(read_account_key(account.key), rsa.RSAPrivateKey)
    found, problems = storage.certificates("le")
    assert [stored.names for stored in found] == [("a.example", "b.example"), ("*.c.example",)]
    assert problems == []
    assert "RSA PRIVATE KEY" in found[0].material.key
    assert "EC PRIVATE KEY" in found[1].material.key
    assert storage.account("unused") is None
    assert storage.certificates("unused") == ([], [])
    assert storage.certificates("nobody") == ([], [])


def test_what_is_not_understood_is_kept(tmp_path: Path) -> None:
    """A change touches what it means to change: other resolvers, unknown members and stores stay, in their order."""
    one, two = CA.issue("a.example"), CA.issue("b.example")
    content = traefik(one, two)
    content["le"]["Certificates"][0]["Store"] = "special"
    content["le"]["Certificates"][1]["note"] = [1, None]
    content["le"]["Future"] = {"x": "<y>"}
    file = written(tmp_path, content)
    renewed = CA.issue("a.example")
    store.update(file, lambda raw: store.put_certificate(raw, "le", material(renewed)))
    after = json.loads(file.read_text())
    assert after["le"]["Certificates"][0] == {**entry(renewed), "key": _coded(renewed.key), "Store": "special"}
    content["le"]["Certificates"][0] = after["le"]["Certificates"][0]
    assert after == content
    assert list(after["le"]) == ["Account", "Certificates", "Future"]


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_written_as_traefik_writes(tmp_path: Path) -> None:
    """A new file: two spaces, the members' names and order, base64 of PEM and DER, mode 0600."""
    file = tmp_path / "acme.json"
    issued = CA.issue("a.example", "b.example")
    account = Account(email="who@example.com", key=ACCOUNT_KEY, uri="https://ca.example/1", body={"status": "valid"})

    def change(raw: dict[str, Any]) -> None:
        store.put_account(raw, "le", account)
        store.put_certificate(raw, "le", material(issued))

    store.update(file, change)
    text = file.read_text()
    assert text.startswith(
        '{\n  "le": {\n    "Account": {\n      "Email": "who@example.com",\n      "Registration": {\n'
    )
    member = json.loads(text)["le"]
    assert list(member) == ["Account", "Certificates"]
    assert list(member["Account"]) == ["Email", "Registration", "PrivateKey"]
    assert member["Account"]["Registration"] == {"body": {"status": "valid"}, "uri": "https://ca.example/1"}
    assert base64.b64decode(member["Account"]["PrivateKey"]) == ACCOUNT_KEY
    (stored,) = member["Certificates"]
    assert list(stored) == ["domain", "certificate", "key", "Store"]
    assert stored["domain"] == {"main": "a.example", "sans": ["b.example"]}
    assert base64.b64decode(stored["certificate"]).decode() == issued.chain
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_members_in_any_case(tmp_path: Path) -> None:
    """Names of members are found whatever their case, as Go finds them, and changed where they are."""
    issued = CA.issue("a.example")
    content = {"le": {"account": traefik()["le"]["Account"], "CERTIFICATES": [entry(issued)]}}
    file = written(tmp_path, content)
    storage = store.read(file)
    assert storage.account("le") is not None
    assert len(storage.certificates("le")[0]) == 1
    store.update(file, lambda raw: store.put_certificate(raw, "le", material(CA.issue("b.example"))))
    assert [len(json.loads(file.read_text())["le"]["CERTIFICATES"]), list(json.loads(file.read_text())["le"])] == [
        2,
        ["account", "CERTIFICATES"],
    ]


@pytest.mark.parametrize("content", ["", "  \n", "{}", "{\n}\n"])
def test_empty_file(tmp_path: Path, content: str) -> None:
    """A file without anything in it is a storage without anything in it."""
    storage = store.read(written(tmp_path, content))
    assert storage.account("le") is None
    assert storage.certificates("le") == ([], [])


def test_missing_file_is_made(tmp_path: Path) -> None:
    """A file that is not there is made, empty and private, its directory too."""
    file = tmp_path / "deep" / "acme.json"
    assert store.read(file).raw == {}
    assert file.read_bytes() == b""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_open_mode(tmp_path: Path, mode: int) -> None:
    """A file that others may touch is refused, with the command that mends it; it is neither read nor written."""
    file = written(tmp_path, traefik())
    file.chmod(mode)
    before = file.read_bytes()
    for attempt in (partial(store.read, file), partial(store.update, file, dict.clear)):
        with pytest.raises(StorageError) as caught:
            attempt()
        assert f"permissions {mode:o} for acme.json are too open" in caught.value.message
        assert caught.value.remedy == f"chmod 600 {file}"
    assert file.read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ('{\n  "le": {\n    "Account": \n', 4, 1),
        ('{"le": {}', 1, 10),
        ("[]", 1, 1),
        ('{"le": []}', 0, 0),
    ],
)
def test_damaged(tmp_path: Path, content: str, line: int, column: int) -> None:
    """A damaged file is reported with its line and column, and never written."""
    file = written(tmp_path, content)
    account = Account(email="", key=ACCOUNT_KEY)
    change = partial(store.put_account, resolver="le", account=account)
    for attempt in (partial(store.read, file), partial(store.update, file, change)):
        with pytest.raises(StorageError) as caught:
            attempt()
        place = caught.value.problems[0].place
        assert place is not None
        assert (place.file, place.line, place.column) == (str(file), line, column)
        assert "it is left as it is" in caught.value.remedy
        assert file.read_text() == content


@pytest.mark.parametrize("member", [{"Certificates": {}}, {"Account": []}, {"Account": {"PrivateKey": "!"}}])
def test_members_of_another_kind(tmp_path: Path, member: dict[str, object]) -> None:
    """A member that is not what it should be is named; other resolvers of the file are read."""
    storage = store.read(written(tmp_path, {"le": member, "other": traefik()["le"]}))
    with pytest.raises(StorageError) as caught:
        _ = storage.account("le"), storage.certificates("le")
    assert next(iter(member)) in caught.value.message
    assert storage.account("other") is not None


def test_no_text(tmp_path: Path) -> None:
    """Bytes that are no text are found with their place."""
    file = tmp_path / "acme.json"
    file.write_bytes(b'{\n "a": "\xff"}')
    file.chmod(0o600)
    with pytest.raises(StorageError) as caught:
        store.read(file)
    place = caught.value.problems[0].place
    assert place is not None
    assert (place.line, place.column) == (2, 8)


def test_traefik_1(tmp_path: Path) -> None:
    """The format of Traefik 1, which has no resolvers, is named."""
    with pytest.raises(StorageError) as caught:
        store.read(written(tmp_path, {"Account": {"PrivateKey": "x"}, "Certificates": []}))
    assert "Traefik 1" in caught.value.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"certificate": "!"}, "base64"),
        ({"certificate": base64.b64encode(b"x").decode()}, "no certificate"),
        ({"key": base64.b64encode(b"x").decode()}, "no key"),
        ({"key": _coded(CA.issue("other.example").key)}, "not the certificate's"),
    ],
)
def test_one_broken_certificate(tmp_path: Path, change: dict[str, str], said: str) -> None:
    """A broken certificate is reported, left as it is, and does not hide the others."""
    content = traefik(CA.issue("a.example"), CA.issue("b.example"))
    content["le"]["Certificates"][0] |= change
    file = written(tmp_path, content)
    found, problems = store.read(file).certificates("le")
    assert [stored.names for stored in found] == [("b.example",)]
    assert [problem.subject for problem in problems] == ["le.Certificates[0]"]
    assert said in problems[0].message
    assert json.loads(file.read_text()) == content


def test_empty_entries(tmp_path: Path) -> None:
    """An entry without certificate or key, which Traefik leaves behind, is as good as none."""
    content = traefik(CA.issue("a.example"))
    content["le"]["Certificates"].append({"domain": {"main": "x.example"}, "certificate": "", "key": "", "Store": ""})
    found, problems = store.read(written(tmp_path, content)).certificates("le")
    assert (len(found), problems) == (1, [])


def test_a_certificate_takes_the_place_of_its_like(tmp_path: Path) -> None:
    """The same names in another order are the same certificate; one that is named to go goes; others stay."""
    file = written(tmp_path, traefik(CA.issue("a.example", "b.example"), CA.issue("c.example"), CA.issue("d.example")))
    store.update(file, lambda raw: store.put_certificate(raw, "le", material(CA.issue("b.example", "a.example"))))
    names = [stored.names for stored in store.read(file).certificates("le")[0]]
    assert names == [("b.example", "a.example"), ("c.example",), ("d.example",)]
    new = material(CA.issue("c.example", "e.example"))
    store.update(file, lambda raw: store.put_certificate(raw, "le", new, instead=("c.example",)))
    names = [stored.names for stored in store.read(file).certificates("le")[0]]
    assert names == [("b.example", "a.example"), ("c.example", "e.example"), ("d.example",)]


def test_another_account_forgets_the_one_before(tmp_path: Path) -> None:
    """Members of an account that belong to its key go with it."""
    file = written(tmp_path, traefik())
    other = Account(email="other@example.com", key=make_account_key(), uri="https://other.example/2")
    store.update(file, lambda raw: store.put_account(raw, "le", other))
    account = json.loads(file.read_text())["le"]["Account"]
    assert list(account) == ["Email", "Registration", "PrivateKey"]
    same = Account(email="new@example.com", key=other.key, uri="https://other.example/2")
    store.update(file, lambda raw: store.put_account(raw, "le", same))
    read = store.read(file).account("le")
    assert read is not None
    assert read.email == "new@example.com"


def test_dates_and_issuer(tmp_path: Path) -> None:
    """What a stored certificate says is understood."""
    found, _ = store.read(written(tmp_path, traefik(CA.issue("a.example")))).certificates("le")
    assert found[0].material.issuer == "A Certificate Authority"
    assert found[0].material.not_after > datetime.now(UTC)
