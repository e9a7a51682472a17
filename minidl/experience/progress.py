"""Progress bars for long work: in a terminal, and as a widget in a notebook."""

import os


def progress(iterable=None, hide=False, **options):
    """A tqdm bar that vanishes when done; none with `hide` or TQDM_DISABLE set.

    tqdm is imported here, when first needed; its notebook bar ignores that variable.
    """
    from tqdm.auto import tqdm

    off = hide or os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    if iterable is not None:
        options.setdefault("total", len(iterable))
        iterable = iter(iterable)  # some of its bars ask for an iterator twice
    return tqdm(iterable, leave=False, disable=off, **options)
