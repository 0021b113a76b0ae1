"""The garbage collector while a configuration grows."""

from __future__ import annotations

import gc

import pytest

from daemun.run.growing import growing


def test_no_garbage_is_looked_for_while_a_configuration_grows() -> None:
    """It rests until the last of several configurations is done, also when one of them failed."""
    with growing():
        with pytest.raises(ZeroDivisionError), growing():
            _ = 1 // 0
        assert not gc.isenabled()
    assert gc.isenabled()
