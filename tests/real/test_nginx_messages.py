"""The messages of nginx that stand beside ours are those of the real one."""

from __future__ import annotations

import shutil

import pytest

from tests.kit.broken import Broken, broken, nginxs


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.parametrize("case", broken(), ids=lambda case: case.name)
def test_nginxs_own_message(case: Broken) -> None:
    """What the file records is what nginx says."""
    assert nginxs(case.text) == case.nginx
