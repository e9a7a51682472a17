"""An NVIDIA GPU as a device, through CuPy: imported only when somebody asks for it.

Where CuPy or a GPU is missing, the reason is kept as a sentence, and only asking for
the device raises it.
"""

from functools import cache

from .device import Availability, Device


@cache
def probe():
    """(device, note): the GPU that CuPy finds, or None and the reason there is none."""
    try:
        import cupy
    except ImportError as error:
        if error.name != "cupy":
            return None, "CuPy is installed but broken: `import cupy` says how"
        return (
            None,
            "CuPy is not installed; on a machine with a GPU: pip install cupy-cuda12x",
        )
    if not cupy.is_available():
        return (
            None,
            f"CuPy {cupy.__version__} is installed but finds no NVIDIA GPU or driver",
        )
    device = Device(
        "cuda",
        cupy,
        to_numpy=cupy.asnumpy,
        synchronize=lambda: cupy.cuda.get_current_stream().synchronize(),
    )
    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    return device, f"CuPy {cupy.__version__}, {properties['name'].decode()}"


def availability():
    found, note = probe()
    return Availability("cuda", found is not None, note)


def cuda():
    """The GPU. Raises RuntimeError that says why where there is none."""
    found, note = probe()
    if found is None:
        raise RuntimeError(
            f"device 'cuda' was asked for, but {note}. The CPU is 'cpu'."
        )
    return found
