"""The npm packages that the site brings along, so that a page asks no other server.

book/package.json names them with exact versions. They are fetched once, into
book/node_modules; after that a build needs no network.
"""

import json
import shutil
import subprocess
from importlib.resources import files

from ..environment import ROOT, KitError

FOLDER = ROOT / "book" / "node_modules"
FONTS = "@mathjax/mathjax-newcm-font"
WIDGETS = "@jupyter-widgets/html-manager/dist"
NO_USE = shutil.ignore_patterns("*.map", "embed.js", "libembed-amd.js", "*.LICENSE.txt")
COPIED = {  # under book/node_modules: under vendor/ of the site
    "mathjax/tex-chtml.js": "mathjax/tex-chtml.js",
    "mathjax/a11y": "mathjax/a11y",
    "mathjax/input/tex/extensions": "mathjax/input/tex/extensions",
    "mathjax/sre": "mathjax/sre",
    "mathjax/ui": "mathjax/ui",
    f"{FONTS}/chtml.js": "fonts/mathjax-newcm-font/chtml.js",
    f"{FONTS}/chtml": "fonts/mathjax-newcm-font/chtml",
    "requirejs/require.js": "require.js",
    WIDGETS: f"npm/{WIDGETS}",
}


def wanted():
    """{package: version} as book/package.json has it."""
    text = (ROOT / "book" / "package.json").read_text(encoding="utf-8")
    return json.loads(text)["dependencies"]


def missing():
    """Names of packages that are not in book/node_modules in the wanted version."""
    found = {}
    for name in wanted():
        path = FOLDER / name / "package.json"
        if path.exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))["version"]
    return [name for name, version in wanted().items() if found.get(name) != version]


def fetch():
    """Installs what is missing; KitError says what to do where that fails."""
    if not missing():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise KitError(
            f"The site needs npm once, to fetch {', '.join(missing())}, and npm is not "
            "on this machine: install Node.js (https://nodejs.org) and start again."
        )
    print("Fetching npm packages into book/node_modules, once", flush=True)
    options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        [npm, "install", *options], cwd=FOLDER.parent, capture_output=True, text=True
    )
    if done.returncode or missing():
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise KitError(
            f"npm could not fetch {', '.join(missing())}: {lines[0]}. Check the "
            "network and start again."
        )


def copy(vendor):
    """Puts into `vendor` what pages load: MathJax, its fonts, widgets, require.js."""
    for source, target in COPIED.items():
        place(FOLDER / source, vendor / target)
    place(files("anywidget") / "nbextension" / "index.js", vendor / "anywidget.js")


def place(source, target):
    """Copies a file or a folder, unless it is there already."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=NO_USE)
    else:
        shutil.copy2(source, target)
