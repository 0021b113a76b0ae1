"""A path, or a text with a name, to a Document.

The first step of every file-based configuration: decode, choose the syntax by the file's ending
(`.toml`; `.yaml`, `.yml`, `.json`), parse. Reads files once and watches nothing; a byte order mark is skipped.
"""

from __future__ import annotations

from pathlib import Path

from daemun.config.document import Document
from daemun.errors import ConfigError, Place, Problem

TOML_ENDINGS = frozenset({".toml"})
YAML_ENDINGS = frozenset({".yaml", ".yml", ".json"})
ENDINGS = TOML_ENDINGS | YAML_ENDINGS


def read_file(path: Path) -> Document:
    """Read and parse a file. Raises ConfigError when it cannot be read or parsed."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _file_error(path, f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode(errors="replace")) + 1
        raise _file_error(path, "this file is not UTF-8 text", line=line, column=column) from None
    return read_text(text, file=str(path))


def read_text(text: str, *, file: str) -> Document:
    """Parse a text whose syntax the ending of `file` tells. Raises ConfigError."""
    ending = Path(file).suffix.lower()
    if ending in TOML_ENDINGS:
        from daemun.config.toml_text import read_toml  # only the syntax in use is loaded

        return read_toml(text.replace("\r\n", "\n"), file=file)
    if ending in YAML_ENDINGS:
        from daemun.config.yaml_text import read_yaml

        return read_yaml(text, file=file)
    message = f"cannot tell the syntax of {file}: the name must end in .toml, .yaml, .yml or .json"
    raise _file_error(Path(file), message)


def _file_error(path: Path, message: str, *, line: int = 0, column: int = 0) -> ConfigError:
    place = Place(file=str(path), line=line, column=column)
    return ConfigError(problems=[Problem(severity="error", kind="file", message=message, place=place)])
