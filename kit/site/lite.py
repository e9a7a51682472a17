"""JupyterLite beside the site: notebooks that run in the browser, without a server.

Optional, and not for a machine without a network: the browser's Python and its NumPy
come from a server when a notebook is opened.
"""

import importlib.util
import subprocess
import sys

from ..environment import ROOT, KitError

PACKAGES = {
    "jupyterlite_core": "jupyterlite-core",
    "jupyterlite_pyodide_kernel": "jupyterlite-pyodide-kernel",
}


def add(html):
    """Builds JupyterLite into the folder lite/ of the site; KitError if it can't."""
    missing = [p for m, p in PACKAGES.items() if not importlib.util.find_spec(m)]
    if missing:
        raise KitError(
            f"--lite needs {' and '.join(missing)}, which the site itself does not: "
            f"{sys.executable} -m pip install {' '.join(missing)}. The site is built, "
            f"in {html}, without JupyterLite."
        )
    print("Building JupyterLite", flush=True)
    places = ["--contents", ROOT / "notebooks", "--output-dir", html / "lite"]
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "lite", "build", *places],
        cwd=html.parent,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise KitError(f"JupyterLite was not built: {lines[-1]}")
    print(f"JupyterLite is in {html / 'lite'}; it needs a network when it is opened.")
