"""What stands in the storage files: read again when it has changed, kept when the file breaks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemun.acme import store
from daemun.acme.journal import Failure
from daemun.acme.resolver import Resolver
from daemun.acme.shelf import Shelf
from daemun.acme.store import Stored
from daemun.certificates.material import parse
from tests.kit.authority import Authority

CA = Authority()
LE = Resolver(name="le", ca_server="https://ca.example", storage="acme.json")
TWO = Resolver(name="two", ca_server="https://ca.example", storage="acme.json")


def put(path: Path, *names: str, resolver: str = "le", days: float = 30) -> Stored:
    issued = CA.issue(*names, days=days)
    stored = Stored(resolver=resolver, names=names, material=parse(issued.chain, issued.key))
    store.update(path / "acme.json", lambda raw: store.put_certificate(raw, resolver, stored))
    return stored


def test_changes_by_others(tmp_path: Path) -> None:
    """What another process has written is seen at the next look, for each resolver of the file."""
    shelf = Shelf(tmp_path)
    shelf.look([LE, TWO])
    assert shelf.materials() == {}
    one, two = put(tmp_path, "a.com"), put(tmp_path, "b.com", resolver="two")
    shelf.look([LE, TWO])
    assert shelf.materials() == {"acme:le:a.com": one, "acme:two:b.com": two}
    shelf.look([TWO])
    assert shelf.materials() == {"acme:two:b.com": two}


def test_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has not changed is not read."""
    put(tmp_path, "a.com")
    shelf = Shelf(tmp_path)
    shelf.look([LE])
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", lambda _: pytest.fail("it was read"))
        shelf.look([LE])


def test_broken_and_mended(tmp_path: Path) -> None:
    """A file that breaks takes nothing away and is said; once it is mended it counts again."""
    one = put(tmp_path, "a.com")
    shelf = Shelf(tmp_path)
    shelf.look([LE])
    file = tmp_path / "acme.json"
    text = file.read_text()
    file.write_text(text[:-9])
    shelf.look([LE])
    assert shelf.materials() == {"acme:le:a.com": one}
    assert [path.name for path in shelf.broken] == ["acme.json"]
    file.write_text(text)
    shelf.look([LE])
    assert shelf.broken == {}


def test_of_two_the_longer(tmp_path: Path) -> None:
    """Two entries with the same names in the file: the one that lasts longer is used."""
    put(tmp_path, "a.com", days=5)
    longer = put(tmp_path, "b.com", days=50)
    raw = store.read(tmp_path / "acme.json").raw
    raw["le"]["Certificates"][1]["domain"] = {"main": "a.com"}
    store.update(tmp_path / "acme.json", lambda now: now.update(raw))
    shelf = Shelf(tmp_path)
    shelf.look([LE])
    assert shelf.materials()["acme:le:a.com"].material == longer.material


def test_journal_that_cannot_be_written(tmp_path: Path) -> None:
    """A journal that cannot be written makes the storage one that is not ordered for."""
    shelf = Shelf(tmp_path)
    shelf.look([LE])
    (tmp_path / "acme.json.lock").mkdir()
    now = datetime.now(UTC)
    failure = Failure(ca_server="", count=1, at=now, next=now, kind="", message="", advice="")
    shelf.keep(tmp_path / "acme.json", {"x": failure})
    assert "cannot be written" in shelf.broken[tmp_path / "acme.json"].message
