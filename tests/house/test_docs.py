"""Documents name only what exists, and the two READMEs say the same."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from daemun.cli.commands import app
from tools import configuration_page, docker_page, nginx_page

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
TOPS = ("src", "engine", "tests", "bench", "docs", "examples", "tools", "packaging", ".ci")
EITHER = re.compile(r"\bmake ([a-z][a-z-]*)")
COMMAND = re.compile(r"\bdaemun ([a-z][a-z-]*)\b")
MODULE = re.compile(r"\bdaemun(?:\.[a-z_0-9]+)+")
BUILT = ("engine/target", "bench/results", "bench/origin/target", "docs/benchmarks")
"""What appears when something was built or measured."""


def each_doc() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))


def code(doc: Path) -> list[str]:
    """The text that stands as code."""
    text = doc.read_text(encoding="utf-8")
    return [*FENCE.findall(text), *CODE.findall(FENCE.sub("", text))]


@each_doc()
def test_paths_exist(doc: Path) -> None:
    """A path of this repository that a document names is there."""
    for snippet in code(doc):
        for word in re.findall(r"[\w./{},*-]+", snippet):
            if word.split("/")[0] in TOPS and "/" in word and not word.startswith(BUILT) and not {"{", "*"} & set(word):
                assert (ROOT / word.rstrip("./,:")).exists(), f"{doc.name} names {word}"


@each_doc()
def test_links_lead_somewhere(doc: Path) -> None:
    """A relative link leads to a file."""
    text = FENCE.sub("", doc.read_text(encoding="utf-8"))
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", text)):
        if "://" not in target:
            assert (doc.parent / target).exists(), f"{doc.name} links to {target}"


@each_doc()
def test_commands_exist(doc: Path) -> None:
    """`make x` is a target, `daemun x` a command, `daemun.x.y` a module."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {
        str(group.name or group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance
    }
    for snippet in code(doc):
        for line in snippet.splitlines():
            if re.match(r"\s*(?:\$ )?make ", line):
                assert set(EITHER.findall(line)) <= targets, f"{doc.name}: {line}"
            if re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?daemun [a-z]", line):
                assert set(COMMAND.findall(line)[:1]) <= commands, f"{doc.name}: {line}"
        for module in MODULE.findall(snippet):
            if not module.endswith((".toml", ".yml", ".yaml", ".json", ".sock", ".md", ".log", ".service")):
                assert exists(module), f"{doc.name} names {module}"


def exists(module: str) -> bool:
    """A module, a package, or a name in one."""
    path = ROOT / "src" / Path(*module.split("."))
    inside = path.parent.with_suffix(".py")
    return (
        path.is_dir()
        or path.with_suffix(".py").is_file()
        or (inside.is_file() and path.name in inside.read_text("utf-8"))
    )


@each_doc()
def test_no_line_numbers(doc: Path) -> None:
    """Documents cite names: `file.py:12` is wrong the day after. (What a program prints may show one.)."""
    text = FENCE.sub("", doc.read_text(encoding="utf-8"))
    assert not re.findall(r"\w\.(?:py|rs|toml|sh):\d+", text)


def test_the_readmes_are_twins() -> None:
    """As many headings of the same rank, and the same code, in both languages."""
    english, korean = ((ROOT / file).read_text(encoding="utf-8") for file in ("README.md", "README.ko.md"))
    assert FENCE.findall(english) == FENCE.findall(korean)
    ranks = [re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE) for text in (english, korean)]
    assert ranks[0] == ranks[1]
    rows = [re.findall(r"^\|", text, re.MULTILINE) for text in (english, korean)]
    assert rows[0] == rows[1]


def test_the_first_configuration_is_right(tmp_path: Path) -> None:
    """The files that the README shows pass `daemun check`."""
    from daemun.traefik.check import check

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"`([\w.]+\.(?:toml|yml))`[^\n]*\n+```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks
    paths = [tmp_path / file for file, _ in blocks]
    for path, (_, content) in zip(paths, blocks, strict=True):
        path.write_text(content)
    assert [str(problem) for problem in check(paths[:1])] == []


@pytest.mark.parametrize("page", ["https.md", "certificates.md"])
def test_the_configurations_of_https_are_right(tmp_path: Path, page: str) -> None:
    """Each file that the pages on HTTPS show is read without an error."""
    from daemun.traefik.check import check

    text = (ROOT / "docs" / "howto" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(toml|yaml)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks
    for number, (syntax, content) in enumerate(blocks):
        path = tmp_path / f"{number}.{syntax}"
        path.write_text(content)
        # The service of the last one has no router, the first one's router no service: what is shown is a part. So is a
        # file that the file provider names.
        wrong = [
            problem
            for problem in check([path])
            if problem.is_error and "there is no service" not in problem.message and problem.kind != "file"
        ]
        assert wrong == []


@pytest.mark.parametrize(
    "page", [configuration_page, docker_page, nginx_page], ids=["configuration", "docker", "nginx"]
)
def test_a_written_page_is_what_the_code_says(page: ModuleType) -> None:
    """docs/reference/configuration.md and docker.md are what the models say, nginx.md the catalogue: `python -m tools.…` writes them."""
    assert page.PAGE.read_text(encoding="utf-8") == page.page()
