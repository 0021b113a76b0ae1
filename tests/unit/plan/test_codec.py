"""Writing: one value in several places."""

from __future__ import annotations

import json

from daemun.plan.codec import written, written_all
from daemun.plan.filter import PageAnswer
from daemun.plan.route import Action, Jump, Uri
from daemun.plan.template import Literal, Template


def test_one_value_is_written_as_each_place_wants_it() -> None:
    """What is written once is kept a type: an enum within another has its tag, alone it has none."""
    to = Uri(table="main", uri=(Literal("/a"),))
    own = {"uri": {"table": "main", "uri": [{"literal": "/a"}]}}
    assert json.loads(written(Jump, to)) == own
    assert json.loads(written(Action, to)) == {"jump": own}
    assert json.loads(written(PageAnswer, to)) == {"jump": own}


def test_what_values_share_is_written_once_and_alike() -> None:
    """Together they are written as each alone."""
    shared = (Literal("/a"),)
    values = (Uri(table="main", uri=shared), Uri(table="other", uri=shared))
    assert written_all(Jump, *values) == [written(Jump, value) for value in values]


def test_nothing_is_kept_of_what_was_written() -> None:
    """Another value at the same place in memory has its own text."""
    texts = {written(Template, (Literal(str(number)),)) for number in range(100)}
    assert len(texts) == 100
