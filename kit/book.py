"""book: the site, from the pages in book/, the executed notebooks and the labs.

Nothing is executed again, and a built page asks no other server for anything.
"""

import subprocess
import sys
import time

from .environment import ROOT, KitError


def main(arguments):
    """Builds the site; --lite adds JupyterLite, --serve shows it."""
    from .site import lite, serve

    path = build()
    if arguments.lite:
        lite.add(path)
    print(f"\nThe site is in {path}")
    if arguments.serve:
        serve.show(path, arguments.port)
    else:
        print("To read it, with search and views: python3 -m kit book --serve")
    return 0


def build():
    """The folder of the built site; KitError where a page is not right."""
    from .site import packages, sources

    start = time.monotonic()
    packages.fetch()
    print("Gathering pages, notebooks and labs", flush=True)
    sources.gather()
    print("Building the site", flush=True)
    command = [sys.executable, "-m", "kit.site.build"]
    if subprocess.call(command, cwd=ROOT):
        raise KitError(
            "The site is not right: a warning counts as an error. See the lines above."
        )
    print(f"Built in {time.monotonic() - start:.0f} s.")
    return sources.HTML
