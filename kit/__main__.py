"""Starts the kit, or says in one sentence why this Python can't.

This file alone must be readable to a Python that is too old.
"""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit(
        "minidl needs Python %d.%d or newer and this is %d.%d: install a newer one and "
        "start again with it, for example python3.13 -m kit learn"
        % (OLDEST + tuple(sys.version_info[:2]))
    )

from .verbs import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
