"""A GPU for everyone: CUDA C on NumPy, checked and counted. (Chapter 11.)

`RawKernel(source, name)` takes the source that CuPy's takes, and is called the same
way. All threads of many blocks run in lockstep, one lane of an array each, under masks.
Left out: warps that run ahead of others, caches, textures, cooperative grids, doubles'
slower rate. Floating-point products and sums are rounded one by one, as with nvcc
-fmad=false; the counters take a product and its sum as one FMA.
"""

from ..specs import GPUS, occupancy
from .faults import CompileError, KernelFault
from .kernel import RawKernel
from .watch import watch
