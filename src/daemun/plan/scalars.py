"""Names and numbers of the Plan, with the ranges the engine's integers have.

To the type checker they are plain `str` and `int`; `codec` reads the ranges and refuses what the engine
could not hold.
"""

from __future__ import annotations

from typing import Annotated

from daemun.plan.codec import Range

# A name within one kind of object; unique there, opaque to the engine.
Id = str

U16 = Annotated[int, Range(high=2**16 - 1)]
U32 = Annotated[int, Range(high=2**32 - 1)]
U64 = Annotated[int, Range(high=2**64 - 1)]

# Milliseconds. 0 means "no limit" wherever a limit is meant.
Millis = U64
