"""A service that is files: its options, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from daemun.errors import Problem
from daemun.traefik.files import Files
from daemun.traefik.read import load_dynamic_text


def read(options: str) -> tuple[Files | None, list[Problem]]:
    dynamic, problems = load_dynamic_text(f"http: {{services: {{s: {{files: {options}}}}}}}", file="d.yml")
    return (dynamic.services["s@file"].value.files if "s@file" in dynamic.services else None), problems


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{root: site}", {"index": ("index.html",), "page": None, "listing": "false", "precompressed": ()}),
        ("{root: site, index: 'a.html, b.html'}", {"index": ("a.html", "b.html")}),
        ("{root: site, spa: true}", {"page": "/index.html"}),
        ("{root: site, spa: true, index: app.html}", {"page": "/app.html"}),
        ("{root: site, spa: shell/app.html}", {"page": "/shell/app.html"}),
        ("{root: site, spa: false}", {"page": None}),
        ("{root: site, listing: JSON}", {"listing": "json"}),
        ("{root: site, listing: true}", {"listing": "true"}),
        ("{root: site, precompressed: 'BR, gzip'}", {"precompressed": ("br", "gzip")}),
        ("{root: site, symlinks: refuse}", {"symlinks": "refuse"}),
    ],
)
def test_options(options: str, expected: dict[str, Any]) -> None:
    """Each option as it may be written."""
    files, problems = read(options)
    assert problems == []
    assert files is not None
    assert {name: getattr(files, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        ("{}", "http.services.s.files"),
        ("{root: ''}", "http.services.s.files.root"),
        ("{root: a, index: ['../x']}", "http.services.s.files.index"),
        ("{root: a, spa: '../x'}", "http.services.s.files.spa"),
        ("{root: a, spa: 'x/'}", "http.services.s.files.spa"),
        ("{root: a, listing: xml}", "http.services.s.files.listing"),
        ("{root: a, precompressed: [deflate]}", "http.services.s.files.precompressed"),
        ("{root: a, symlinks: maybe}", "http.services.s.files.symlinks"),
        ("{root: a, rot: b}", "http.services.s.files.rot"),
    ],
)
def test_mistakes_have_a_place(options: str, subject: str) -> None:
    """What is no value is an error at its option."""
    files, problems = read(options)
    assert files is None
    assert [problem.severity for problem in problems] == ["error"]
    assert problems[0].subject.startswith(subject)
    assert problems[0].place is not None
