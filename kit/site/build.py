"""Sphinx, as Jupyter Book sets it up, over the gathered sources: a process of its own.

Its table of contents looks through all objects of the process, and fails on some that
Numba leaves behind where labs and their checkers have been loaded.
"""

import sys

from jupyter_book.sphinx import build_sphinx

from .sources import BOOK, BUILD, HTML, SOURCE


def run():
    """What Sphinx returns: 0 if the site is built without a warning."""
    return build_sphinx(
        SOURCE,
        HTML,
        noconfig=True,
        path_config=BOOK / "_config.yml",
        confoverrides={
            "external_toc_path": str(SOURCE / "_toc.yml"),
            "latex_individualpages": False,
        },
        doctreedir=BUILD / "doctrees",
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )


if __name__ == "__main__":
    sys.exit(1 if run() else 0)
