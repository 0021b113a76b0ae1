"""tools/train.sh where its tools are missing."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
NEEDED = ("sh", "dirname", "sed", "find", "rustc")
"""Everything else, the load generator among it, is not there."""


def test_without_its_tools_the_engine_is_built_untrained(tmp_path: Path) -> None:
    """An empty file of flags is what an untrained build takes; the reason names what to install."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name, path=f"{os.environ['PATH']}:{Path.home()}/.cargo/bin")
        assert found, name
        (programs / name).symlink_to(found)
    flags = tmp_path / "flags"
    environment = {**os.environ, "PATH": str(programs)}
    command = [str(programs / "sh"), str(ROOT / "tools" / "train.sh"), str(flags)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert flags.read_text() == ""
    assert "built without training: no " in result.stderr
    assert "(Debian: " in result.stderr
