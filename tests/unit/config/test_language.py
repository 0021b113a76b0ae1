"""Which language a file is in, by its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.config.language import Language, language_of, language_of_text

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("[entryPoints.web]\n", Language.TRAEFIK),
        ("entryPoints:\n  web:\n", Language.TRAEFIK),
        ("# a comment\n\nlog.level = 'x'\n", Language.TRAEFIK),
        ("---\nhttp: {}\n", Language.TRAEFIK),
        ('{"http": {}}', Language.TRAEFIK),
        ("user www-data;\n", Language.NGINX),
        ("events {}\n", Language.NGINX),
        ("# a comment\nmap $http_upgrade $connection {\n", Language.NGINX),
        ("log_format main '$remote_addr '\n  '$request';\n", Language.NGINX),
        ("upstream\n{\n", Language.NGINX),
    ],
)
def test_content_decides(text: str, language: Language) -> None:
    """The first line that is no comment, whatever the file is called."""
    assert language_of_text(text, name="some.file") is language


def test_names_decide_where_nothing_stands() -> None:
    """An empty file, and one that is not there."""
    assert language_of_text("# nothing\n", name="site.conf") is Language.NGINX
    assert language_of_text("", name="traefik.toml") is Language.TRAEFIK
    assert language_of(Path("/nowhere/nginx.conf")) is Language.NGINX


def test_every_file_of_the_tests() -> None:
    """The golden sources and the seeds."""
    files = [*(ROOT / "tests" / "golden" / "plan").iterdir(), *(ROOT / "tests" / "seed").iterdir()]
    for path in files:
        if path.suffix in {".conf", ".toml", ".yml"}:
            assert language_of(path) is (Language.NGINX if path.suffix == ".conf" else Language.TRAEFIK), path
