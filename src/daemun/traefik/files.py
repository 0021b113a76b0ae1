"""A service that is files: our own kind beside Traefik's, `http.services.<name>.files`.

Decisions: a relative root is relative to the file that names it, wherever the command was started; a single-page
application answers with its page, and 200, where there is no file; what stands compressed beside a file is found by its
suffix (`.br`, `.zst`, `.gz`) and goes to clients that take it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from daemun.config.section import Names, Section, fold_case, split_names

# Read as a text: `true` is the page of the directory's index.
_TRUE, _FALSE = "true", "false"


def _switch(value: object) -> object:
    """Take a switch for the text it is written as."""
    return str(value).lower() if isinstance(value, bool) else value


def _page(text: str) -> str:
    """Refuse what is no file below the root."""
    if ".." in text.split("/") or "\0" in text or text.endswith("/"):
        raise ValueError("must be true, false or the path of a file below the root")
    return text


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is no name of a file in its directory."""
    for name in names:
        if "/" in name or name in {"", ".", ".."} or "\0" in name:
            raise ValueError(f"{name!r} is no name of a file")
    return names


Coding = Annotated[Literal["br", "zstd", "gzip"], BeforeValidator(fold_case)]


class Files(Section):
    """A directory of files."""

    root: str = Field(min_length=1)
    # What is served where a directory is asked for.
    index: Annotated[Names, AfterValidator(_names)] = ("index.html",)
    # The page of a single-page application, served where there is no file.
    spa: Annotated[str, BeforeValidator(_switch), AfterValidator(_page)] = _FALSE
    # Directories without an index are shown.
    listing: Annotated[
        Literal["false", "true", "html", "json"], BeforeValidator(_switch), BeforeValidator(fold_case)
    ] = "false"
    # In order of preference.
    precompressed: Annotated[tuple[Coding, ...], BeforeValidator(split_names)] = ()
    symlinks: Annotated[Literal["follow", "refuse"], BeforeValidator(fold_case)] = "follow"

    @property
    def page(self) -> str | None:
        """Return the path of the page that stands for what is not there, if there is one."""
        if self.spa in {_FALSE, ""}:
            return None
        page = self.index[0] if self.spa == _TRUE and self.index else "index.html" if self.spa == _TRUE else self.spa
        return f"/{page.lstrip('/')}"
