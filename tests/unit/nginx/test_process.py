"""What nginx.conf says of the engine's process."""

from __future__ import annotations

import os

import pytest

from daemun.engine_terms import EngineTerms
from daemun.errors import ConfigError
from daemun.nginx.lower import Draft, lower
from daemun.nginx.process import ignored_user
from daemun.nginx.read import read_text


def drafted(text: str) -> Draft:
    return lower(read_text(text), prefix="/p")


def test_nothing_said() -> None:
    """A thread a core, whoever starts it, the engine's own directory."""
    assert drafted("events {} http {}").engine == EngineTerms()


def test_threads_and_directory() -> None:
    """The first path counts; a relative one is in nginx's prefix."""
    found = drafted(
        "worker_processes 3; events {} http { proxy_temp_path proxy; client_body_temp_path /b 1 2; }"
    ).engine
    assert (found.threads, found.temp_dir) == (3, "/b")
    assert drafted("http { proxy_temp_path proxy; }").engine.temp_dir == "/p/proxy"
    assert drafted("worker_processes auto; http {}").engine.threads is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_user() -> None:
    """His own group unless one is named; root stays root."""
    account = drafted("user nobody daemon; http {}").engine.account
    assert account is not None
    assert (account.name, account.gid) == ("nobody", 1)
    assert account.gid in account.groups
    assert drafted("user root; http {}").engine.account is None
    with pytest.raises(ConfigError, match="getgrnam"):
        drafted("user nobody nosuchgroup; http {}")


def test_user_without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not root stays who he is; asked for, it is said in nginx's words."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    text = "user nobdy; http {}"
    draft = drafted(text)
    assert (draft.engine.account, draft.problems) == (None, ())
    [said] = ignored_user(read_text(text).directives, severity="info")
    assert "makes sense only if the master process runs with super-user privileges" in said.message
