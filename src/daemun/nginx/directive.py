"""One directive of an nginx configuration, as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from daemun.errors import Place
from daemun.nginx.words import Spots


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """`args` are the words after the name as nginx's reader hands them on: quotes taken off, escapes resolved.

    `block` is None for a directive that ends in `;`. For `map`, `geo`, `split_clients` and `types` the entries of the
    block are directives too: the key is their name. `spots` has the places of the name and of each argument.
    """

    name: str
    args: tuple[str, ...]
    spots: Spots = field(compare=False, repr=False)
    block: tuple[Directive, ...] | None = None

    @property
    def place(self) -> Place:
        """Where its name stands."""
        return self.spots[0]

    @property
    def places(self) -> Sequence[Place]:
        """Where each argument stands."""
        return self.spots.after_first()
