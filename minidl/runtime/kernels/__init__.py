"""Hand-written kernels: one file a family, its rungs from the plain to the fast.

    reduce = kernel("reduction", "reduce_shuffle")             # on the simulated GPU
    reduce = kernel("reduction", "reduce_shuffle", "cuda")     # on a real one
    reduce((blocks,), (256,), (x, partial, np.int32(n)))       # is called the same way

Each comment in a .cu file says what its rung changes, its claim and its launch; the
tests hold the claims to the counters of the simulated GPU. (Chapter 11.)
"""

import re
from functools import cache
from pathlib import Path

from ...hardware.registry import device as find_device

FOLDER = Path(__file__).parent / "cuda"
HEAD = re.compile(r"__global__\s+void\s+(\w+)")


@cache
def families():
    """{family: names of its kernels, from the plain to the fast}."""
    return {
        path.stem: tuple(HEAD.findall(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.cu"))
    }


def source(family):
    """The CUDA C of a family."""
    if family not in families():
        raise ValueError(
            f"no family of kernels {family!r}; there are: {', '.join(families())}"
        )
    return (FOLDER / f"{family}.cu").read_text(encoding="utf-8")


def kernel(family, name, device="simt", **options):
    """A RawKernel: of the simulated GPU, or CuPy's where `device` is "cuda".

    `options` go to it, such as checks=False to the first. Raises ValueError for a name
    that is not there, RuntimeError where "cuda" has no GPU.
    """
    text = source(family)
    if name not in families()[family]:
        raise ValueError(
            f"no kernel {name!r} in {family}.cu; "
            f"there are: {', '.join(families()[family])}"
        )
    return raw_kernel(device)(text, name, **options)


def raw_kernel(device):
    """The class RawKernel of a device."""
    if device == "simt":
        from ...hardware import simt  # reads C, so it is imported when first needed

        return simt.RawKernel
    if device == "cuda":
        return find_device("cuda").xp.RawKernel
    raise ValueError(f"kernels run on 'simt' or 'cuda', not on {device!r}")
