"""Variables of the environment to a tree, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest

from daemun.config.document import Tree
from daemun.config.search import option_variables
from daemun.config.variables import read_variables
from tests.kit.carts import Cart


@pytest.mark.parametrize(
    ("environ", "tree"),
    [
        ({"TRAEFIK_OWNERNAME": "X"}, {"ownerName": "X"}),
        ({"DAEMUN_OWNERNAME": "X"}, {"ownerName": "X"}),
        ({"DAEMUN_OWNERNAME": "ours", "TRAEFIK_OWNERNAME": "theirs"}, {"ownerName": "ours"}),
        ({"DAEMUN_TAGS": "a", "TRAEFIK_TAGS": "b,c"}, {"tags": ["a"]}),
        ({"TRAEFIK_FAST": "true", "TRAEFIK_LAMP": "true"}, {"fast": "true", "lamp": {}}),
        ({"TRAEFIK_LAMP": "false", "TRAEFIK_LAMP_COLOUR": "red"}, {"lamp": None}),
        ({"TRAEFIK_AXLES_FRONT_LAMP_COLOUR": "red"}, {"axles": {"front": {"lamp": {"colour": "red"}}}}),
        ({"TRAEFIK_axles_Front_LAMP": "true"}, {"axles": {"front": {"lamp": {}}}}),
        ({"TRAEFIK_AXLES_X_WHEELS_0_SIZE": "1"}, {"axles": {"x": {"wheels": [{"size": "1"}]}}}),
        ({"TRAEFIK_AXLES_X_WHEELS[0]_SIZE": "1"}, {"axles": {"x": {"wheels": [{"size": "1"}]}}}),
        ({"TRAEFIK_ROOFRACK_SIZE": "1"}, {"roofRack": True}),
        ({"traefik_OWNERNAME": "x", "OWNERNAME": "y", "TRAEFIKOWNERNAME": "z"}, {}),
        ({"TRAEFIK_PORT_80_TCP": "x", "TRAEFIK_SERVICE_HOST": "y", "DAEMUN_ENGINE": "z", "DAEMUN_DATA_DIR": "z"}, {}),
    ],
)
def test_forms(environ: dict[str, str], tree: dict[str, Tree]) -> None:
    """Every underscore is a step; our own prefix wins; what is not ours is passed over."""
    document, problems = read_variables(environ, Cart)
    assert (document.data, problems) == (tree, ())


@pytest.mark.parametrize(
    ("name", "severity", "suggestion", "remedy"),
    [
        ("TRAEFIK_OWNRNAME", "warning", "TRAEFIK_OWNERNAME", ""),
        ("DAEMUN_AXLE_X_LAMP", "warning", "DAEMUN_AXLES_X_LAMP", ""),
        ("TRAEFIK_HORSE", "warning", "", ""),
        ("TRAEFIK_LAMP_COLOR", "error", "TRAEFIK_LAMP_COLOUR", ""),
        ("TRAEFIK_AXLES_MY_LEFT_LAMP", "error", "", "a name in a variable has no underscore: use a flag or the file"),
        ("TRAEFIK_LAMP__COLOUR", "error", "", ""),
    ],
)
def test_mistakes(name: str, severity: str, suggestion: str, remedy: str) -> None:
    """A variable that is no option's at all is a warning, a mistake below an option an error (as in Traefik)."""
    _, [problem] = read_variables({name: "red"}, Cart)
    assert problem.severity == severity
    assert problem.suggestion == suggestion
    assert problem.remedy == remedy
    assert str(problem.place) == name


def test_which_may_be_options() -> None:
    """Traefik's come first, for ours win; what the command itself reads is not among them."""
    environ = dict.fromkeys(["DAEMUN_LOG", "TRAEFIK_B", "TRAEFIK_A", "DAEMUN_ENGINE", "HOME"], "")
    assert option_variables(environ) == ("TRAEFIK_A", "TRAEFIK_B", "DAEMUN_LOG")
