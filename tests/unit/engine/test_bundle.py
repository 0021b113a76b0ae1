"""What an engine gets, as values."""

from __future__ import annotations

from daemun.engine.bundle import Bundle, KeyPair


def test_keys_are_not_shown() -> None:
    """Neither keys nor secrets are in a representation."""
    shown = repr(Bundle(plan=b"{}", certificates={"a": KeyPair(chain="c", key="hidden")}, secrets={"s": "hidden"}))
    assert "hidden" not in shown


def test_refreshed() -> None:
    """An older Plan keeps what it names, in its newest form."""
    old = Bundle(
        plan=b"old",
        certificates={"a": KeyPair(chain="1", key="1"), "b": KeyPair(chain="b", key="b")},
        secrets={"s": "1"},
    )
    new = Bundle(
        plan=b"new",
        certificates={"a": KeyPair(chain="2", key="2"), "c": KeyPair(chain="c", key="c")},
        secrets={"s": "2"},
    )
    made = old.refreshed(new)
    assert made.plan == b"old"
    assert made.certificates == {"a": KeyPair(chain="2", key="2"), "b": KeyPair(chain="b", key="b")}
    assert made.secrets == {"s": "2"}
