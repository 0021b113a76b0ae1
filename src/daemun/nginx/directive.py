"""One directive of an nginx configuration, as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from daemun.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """`args` are the words after the name as nginx's reader hands them on: quotes taken off, escapes resolved.

    `places` has one place for each argument; `block` is None for a directive that ends in `;`. For `map`, `geo`,
    `split_clients` and `types` the entries of the block are directives too: the key is their name.
    """

    name: str
    args: tuple[str, ...]
    place: Place = field(compare=False)
    places: Sequence[Place] = field(compare=False)
    block: tuple[Directive, ...] | None = None
