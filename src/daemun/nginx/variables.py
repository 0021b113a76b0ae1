"""nginx's variables in text as the Plan's templates."""

from __future__ import annotations

from daemun.errors import Place
from daemun.nginx.making import Making
from daemun.plan.template import Template


def template(
    text: str, making: Making, place: Place | None, *, captures: int | None = None, root: Template | None = None
) -> Template:
    """Return the template of a text.

    `captures` is the slot `$1` means; `root` is what `$document_root` is there (`files.document_root`).
    """
    raise NotImplementedError
