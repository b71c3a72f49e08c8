"""Every notebook runs from top to bottom on the reference, with tiny settings and offline data."""

import json
import os
import subprocess
import sys

import pytest

from autograder.course import ROOT, load_assignment

# Stands for Jupyter, which the repository's own tests do without: pictures are looked at only by people.
HEAD = """
import sys, types
import matplotlib.pyplot as plt
plt.switch_backend("Agg")
display = types.ModuleType("IPython.display")
display.Image, display.display = lambda filename: open(filename, "rb").read(), len
ipython = types.ModuleType("IPython")
ipython.get_ipython, ipython.version_info = lambda: None, (9, 0)
sys.modules |= {"IPython": ipython, "IPython.display": display}
"""


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs_on_the_reference(path, tmp_path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in cells), "strip the outputs before you commit a notebook"
    assignment = load_assignment(path.parent.name)
    script = tmp_path / "notebook.py"
    script.write_text(HEAD + "\n".join("".join(cell["source"]) for cell in cells))
    (tmp_path / "assignment").symlink_to(ROOT / "assignment")
    environment = {**os.environ, "SMOKE": "1", "SUBMISSION": str(assignment.solutions), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
