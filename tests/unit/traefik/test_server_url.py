"""Server URLs: scheme, address, path."""

from __future__ import annotations

import pytest

from daemun.traefik.server_url import check_url, split_url


@pytest.mark.parametrize(
    ("url", "scheme", "address", "host", "path"),
    [
        ("http://127.0.0.1:8000", "http", "127.0.0.1:8000", "127.0.0.1:8000", ""),
        ("http://app", "http", "app:80", "app", ""),
        ("http://app/base/", "http", "app:80", "app", "/base"),
        ("https://app", "https", "app:443", "app", ""),
        ("h2c://app:1", "h2c", "app:1", "app:1", ""),
        ("http://[::1]:80/", "http", "[::1]:80", "[::1]:80", ""),
        ("unix:///run/app.sock", "unix", "unix:/run/app.sock", "", ""),
        ("unix:/run/app.sock", "unix", "unix:/run/app.sock", "", ""),
    ],
)
def test_split(url: str, scheme: str, address: str, host: str, path: str) -> None:
    """A URL comes apart; the scheme's port stands in where none is written."""
    found = split_url(url)
    assert (found.scheme, found.address, found.host, found.path) == (scheme, address, host, path)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8000", "write http://127.0.0.1:8000"),
        ("ftp://a", "expected http, https, h2c or unix"),
        ("http://", "names no host"),
        ("http://a:99999", "is no URL"),
        ("http://a:b", "is no URL"),
        ("unix://run/app.sock", "write unix:///run/app.sock"),
        ("unix:///", "names no socket"),
        ("http://a b", "is no name of a host"),
        ("http://a:0", "port 0"),
        ("http://user:secret@a", "carries a password"),
    ],
)
def test_refused(url: str, words: str) -> None:
    """What leads nowhere is refused with advice, and a password is not repeated."""
    with pytest.raises(ValueError, match=words) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)
