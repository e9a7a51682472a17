"""A kernel as CUDA C, and how to launch it. (Chapter 9.)

The same loops that run one by one on a CPU go to thousands of threads here; `threads`
decides which. The text compiles with NVRTC and runs on the simulated GPU as it is:

    run = RawKernel(source(kernel), kernel.name)
    grid, block = launch(kernel)
    run(grid, block, (*outputs, *inputs, *params))
"""

import math
from typing import NamedTuple

from . import loops as ir
from .blocks import Block
from .cuda_helpers import helpers
from .cuda_text import STEP, digits, flat, strided, thread, total, type_text
from .threads import plan, threads_of

THREADS, MOST_BLOCKS = 256, 2048  # of a launch with a thread an element
SHARED, PRIVATE = 48 * 1024, 4096  # bytes of scratch for a block, for a thread


MOST_ELEMENTS = 2**31 - 2**20  # an int counts them, and one step of the grid more


class Launch(NamedTuple):
    grid: tuple
    block: tuple


def launch(kernel):
    """The Launch of `source(kernel)`.

    A thread an element takes several where there are many: it steps by the whole grid.
    """
    way = plan(kernel)
    n = max(total(way.outer), 1)
    if way.rows:
        return Launch((n,), (threads_of(way),))
    return Launch((min(-(-n // THREADS), MOST_BLOCKS),), (THREADS,))


def source(kernel):
    """CUDA C with one kernel, `kernel.name`: outputs, inputs, then params by value.

    Raises ValueError where scratch is larger than what a block, or a thread, may have.
    """
    ir.check(kernel)
    for buffer in (*kernel.outputs, *kernel.inputs):
        if elements(buffer) >= MOST_ELEMENTS:
            raise ValueError(
                f"{buffer.name}{list(buffer.shape)} is beyond an int index"
            )
    way = plan(kernel)
    lines = [*scratch(kernel, way), *(by_block if way.rows else by_thread)(way)]
    text = "\n".join(lines)
    head = f'extern "C" __global__ void {kernel.name}({parameters(kernel)}) {{'
    return "\n\n".join([*helpers(text), f"{head}\n{text}\n}}"]) + "\n"


def parameters(kernel):
    outputs = [f"{type_text(b.dtype)}* {b.name}" for b in kernel.outputs]
    inputs = [f"const {type_text(b.dtype)}* {b.name}" for b in kernel.inputs]
    return ", ".join(
        outputs + inputs + [f"{type_text(p.dtype)} {p.name}" for p in kernel.params]
    )


def scratch(kernel, way):
    """Rows that a block shares, or that a thread has for itself."""
    sizes = {b: elements(b) * b.dtype.itemsize for b in kernel.scratch}
    most, word = (SHARED, "__shared__ ") if way.rows else (PRIVATE, "")
    if sum(sizes.values()) > most:
        raise ValueError(
            f"{kernel.name} wants {sum(sizes.values()):,} bytes of scratch, and a "
            f"{'block' if way.rows else 'thread'} has {most:,}: compute it twice"
        )
    return [f"{STEP}{word}{type_text(b.dtype)} {b.name}[{elements(b)}];" for b in sizes]


def elements(buffer):
    return math.prod(buffer.shape)


def by_thread(way):
    """Each thread does elements a whole grid apart; neighbours do neighbours."""
    first = "blockIdx.x * blockDim.x + threadIdx.x"
    whole = flat([ir.Var(x.var) for x in way.outer], [x.extent for x in way.outer])
    body = [numbered(s, whole) for s in way.body] if way.outer[1:] else way.body
    step = "gridDim.x * blockDim.x"
    loop = strided(way.outer, first, step, STEP, lambda margin: thread(body, margin))
    return [*thread(way.before, STEP), *loop]


def numbered(node, whole):
    """Where an index runs through memory as the threads do, it is their number, t."""
    if isinstance(node, ir.Load | ir.Store):
        if flat(node.index, node.buffer.shape) == whole:
            line = ir.Buffer(node.buffer.name, (-1,), node.buffer.dtype)
            load = ir.Load(line, (ir.Var("t"),))
            if isinstance(node, ir.Load):
                return load
            return ir.Store(line, load.index, numbered(node.value, whole), node.fn)
    if isinstance(node, ir.Node) and not isinstance(node, ir.Buffer):
        return ir.mapped(node, lambda part: numbered(part, whole))
    return node


def by_block(way):
    """Each block does one row, which its number says."""
    lines = Block().lines(way.body, STEP)
    if len(way.outer) == 1:
        row = [f"{STEP}int {way.outer[0].var} = blockIdx.x;"]
    else:
        row = digits(way.outer, lines, STEP)
        row = ([f"{STEP}int t = blockIdx.x;"] if row else []) + row
    return [*row, *thread(way.before, STEP), *lines]
