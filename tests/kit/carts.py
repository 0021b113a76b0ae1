"""A small language of sections, for tests of what knows no option of Traefik."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from daemun.config.section import Names, Section, fold_case


class Lamp(Section):
    colour: Annotated[Literal["white", "red"], BeforeValidator(fold_case)] = "white"
    bright: bool = False


class Wheel(Section):
    size: int
    spokes: Names = ()


class Axle(Section):
    wheels: tuple[Wheel, ...] = ()
    lamp: Lamp | None = None
    labels: dict[str, str] = {}


class Cart(Section):
    not_yet: ClassVar[tuple[str, ...]] = ("roofRack",)
    elsewhere: ClassVar[dict[str, str]] = {"horse": "horses have a stable"}
    owner_name: str = ""
    load_limit: int = 0
    fast: bool = False
    tags: Names = ()
    axles: dict[str, Axle] = {}
    lamp: Lamp | None = None
    line: int = 0
