"""The journal: kept over restarts, private, begun anew when it is damaged."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from daemun.acme.journal import Entries, Failure, Journal, PendingAccount, PendingOrder, Renewal

NOW = datetime(2026, 1, 1, 2, 3, 4, 567, tzinfo=UTC)
ORDER = PendingOrder(
    ca_server="https://ca.example", names=("a.com", "b.com"), key="KEY", replaces="x.y", uri="https://o/1"
)
RENEWAL = Renewal(certificate="x.y", moment=NOW, window=(NOW, NOW + timedelta(days=1)), explanation="p", ask_at=NOW)
FAILURE = Failure(
    ca_server="https://ca.example", count=3, at=NOW, next=NOW, kind="dns", message="m\u00fc", advice="a", not_before=NOW
)


def test_kept(tmp_path: Path) -> None:
    """Everything comes back as it was put in, by id; the file is private."""
    journal = Journal(tmp_path / "acme.json")
    assert journal.read() == Entries()
    plain = Renewal(certificate="", moment=NOW)
    journal.keep({"one": ORDER})
    journal.keep({"one": RENEWAL, "two": plain})
    journal.keep({"one": FAILURE})
    assert journal.read() == Entries(
        orders={"one": ORDER}, renewals={"one": RENEWAL, "two": plain}, failures={"one": FAILURE}
    )
    assert stat.S_IMODE((tmp_path / "acme.json.journal").stat().st_mode) == 0o600


def test_dropped(tmp_path: Path) -> None:
    """Entries are forgotten by kind; nothing is written when nothing changes."""
    journal = Journal(tmp_path / "acme.json")
    journal.keep({"one": ORDER, "two": ORDER})
    journal.keep({"one": FAILURE})
    journal.drop(["one"], PendingOrder)
    assert journal.read() == Entries(orders={"two": ORDER}, failures={"one": FAILURE})
    before = (tmp_path / "acme.json.journal").stat().st_ino
    journal.drop(["nobody"], PendingOrder, Failure)
    assert (tmp_path / "acme.json.journal").stat().st_ino == before


def test_the_first_account_key_counts(tmp_path: Path) -> None:
    """Of two processes that register at the same time, both use the key that was kept first; another authority has another."""
    journal = Journal(tmp_path / "acme.json")

    def kept(ca_server: str, key: str) -> str:
        made = PendingAccount(ca_server=ca_server, key=key)
        return journal.keep_first("le", lambda: made, unless=lambda: None).key

    assert (kept("https://a", "1"), kept("https://a", "2")) == ("1", "1")
    assert kept("https://b", "3") == "3"


def test_damaged(tmp_path: Path) -> None:
    """A damaged journal is put aside, said once, and begun anew."""
    path = tmp_path / "acme.json.journal"
    path.write_text('{"orders": ')
    journal = Journal(tmp_path / "acme.json")
    with capture_logs() as lines:
        assert journal.read() == Entries()
        journal.keep({"one": FAILURE})
    assert [line["log_level"] for line in lines] == ["warning"]
    assert journal.read() == Entries(failures={"one": FAILURE})
    assert (tmp_path / "acme.json.journal.damaged").read_text() == '{"orders": '


def test_of_another_version(tmp_path: Path) -> None:
    """Entries that cannot be understood are as good as none; the others are read."""
    journal = Journal(tmp_path / "acme.json")
    journal.keep({"one": RENEWAL})
    path = tmp_path / "acme.json.journal"
    path.write_text(path.read_text().replace('"orders": {}', '"orders": {"x": {"new": 1}, "y": 7}, "later": []'))
    assert journal.read() == Entries(renewals={"one": RENEWAL})


def test_keys_are_not_shown() -> None:
    """A private key is in no text that could be logged."""
    assert "KEY" not in repr(ORDER)
    assert "secret" not in repr(PendingAccount(ca_server="", key="secret"))
