"""Files to documents: which syntax, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.config.read import read_file, read_text
from daemun.errors import ConfigError


@pytest.mark.parametrize(
    ("file", "text"), [("a.toml", "x = 1"), ("a.yml", "x: 1"), ("A.YAML", "x: 1"), ("a.json", '{"x": 1}')]
)
def test_the_ending_tells_the_syntax(file: str, text: str) -> None:
    """TOML, YAML and JSON are told apart by the file's ending, whatever its case."""
    assert read_text(text, file=file).data == {"x": 1}


def test_unknown_ending() -> None:
    """Another ending is refused with the list of those that are read."""
    with pytest.raises(ConfigError, match=r"\.toml, \.yaml"):
        read_text("", file="nginx.conf")


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is a Problem that names it."""
    with pytest.raises(ConfigError, match="no such file"):
        read_file(tmp_path / "nothing.toml")


def test_not_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused at their place."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert str(caught.value.problems[0].place) == f"{path}:2:6"


def test_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    """Files written on Windows are read, with the right places."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    document = read_file(path)
    assert document.data == {"a": 1, "b": 2}
    assert document.place(("b",)).line == 2
