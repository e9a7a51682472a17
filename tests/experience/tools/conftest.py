"""Our JavaScript, run by Node where it is installed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from minidl.experience.tools.widget import source

BROWSER = (Path(__file__).parent / "browser.js").read_text("utf-8")


@pytest.fixture
def node(tmp_path):
    """node(script, code): what `code` tells of the module `m`, that of a view."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")

    def run(script, code):
        module, main = tmp_path / "module.mjs", tmp_path / "main.mjs"
        module.write_text(source("controls.js", script), encoding="utf-8")
        opening = f"const m = await import({json.dumps(module.as_uri())});\n{BROWSER}"
        main.write_text(opening + code, encoding="utf-8")
        done = subprocess.run([program, main], capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
