"""Machine code by its address: how a list of calls is run without Python in between.

A call is two numbers: the address of a function, and that of a block of numbers which
are its arguments. Several threads walk one list at the same time, each doing its own
part of every line, and meet after those that they share. Whoever comes first asks again
and again whether the others are there, since to sleep and be woken takes longer than
most lines; after a while it offers its core to other programs. (Chapter 14.)
"""

from llvmlite import ir
from numba import carray, int64, njit, types
from numba.extending import intrinsic

inlined = njit(forceinline=True)
PATIENCE = 2000  # questions before the core is offered to others, some microseconds
WAIT = 50  # such rounds before a worker without a task sleeps


@intrinsic
def call(typing, address, *arguments):
    """The function at `address` with these numbers; what it returns is dropped."""

    def generate(context, builder, signature, values):
        address, given = values
        given = [builder.extract_value(given, i) for i in range(len(arguments))]
        form = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(address, form.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.int64, types.StarArgTuple(arguments)), generate


@intrinsic
def pointer(typing, address):
    """An address as what `numba.carray` takes."""

    def generate(context, builder, signature, values):
        return builder.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


def at_place(builder, address):
    return builder.inttoptr(address, ir.IntType(64).as_pointer())


@intrinsic
def count_up(typing, address):
    """Adds 1 to the int64 there, whoever else does so now; returns the sum."""

    def generate(context, builder, signature, values):
        one = ir.Constant(ir.IntType(64), 1)
        place = at_place(builder, values[0])
        return builder.add(builder.atomic_rmw("add", place, one, "seq_cst"), one)

    return types.int64(types.int64), generate


@intrinsic
def look(typing, address):
    """The int64 there, with all that others had written before they wrote it."""

    def generate(context, builder, signature, values):
        return builder.load_atomic(at_place(builder, values[0]), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
def ask(typing, address):
    """What the function at `address`, without arguments, returns as an int32."""

    def generate(context, builder, signature, values):
        form = ir.FunctionType(ir.IntType(32), [])
        return builder.call(builder.inttoptr(values[0], form.as_pointer()), [])

    return types.int32(types.int64), generate


@intrinsic
def put(typing, address, value):
    """Writes an int64 there, after all that was written before."""

    def generate(context, builder, signature, values):
        place = at_place(builder, values[0])
        builder.store_atomic(values[1], place, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@inlined
def meet(counter, threads, offer):
    """Returns when all `threads` have come; `counter` has counted those of before."""
    all_here = -(-count_up(counter) // threads) * threads
    asked = 0
    while look(counter) < all_here:
        asked += 1
        if asked % PATIENCE == 0:
            call(offer)


def walk(lines, first, stop, threads, counter, offer):
    """Runs parts `first` to `stop` of each line, as one of `threads` threads.

    lines: [n, parts, 2] of (address of a function, or 0; address of its arguments)
    counter: address of an int64 at which the threads meet; offer: of a function that
        gives other programs the core
    """
    n = lines.shape[0]
    for i in range(n):
        for part in range(first, stop):
            if lines[i, part, 0] != 0:
                call(lines[i, part, 0], lines[i, part, 1])
        # Between two lines of the first thread alone nobody waits for anybody.
        if threads > 1 and (i == n - 1 or lines[i : i + 2, 1, 0].any()):
            meet(counter, threads, offer)


# ---- a worker and its box, in which there is: how many tasks were posted; whether the
# worker sleeps; of the last task the lines' address, how many they are, for how many
# threads, the counter where these meet, and the core of who posted it

POSTED, SLEEPS, LINES, COUNT, THREADS, COUNTER, CORE = range(0, 56, 8)
BOX = 64  # bytes: a line of the cache each
ASLEEP = -1

walked = inlined(walk)


def post(boxes, lines, n, threads, counter, core):
    """Puts a task into each worker's box; returns how many workers sleep."""
    asleep = 0
    for box in range(boxes, boxes + (threads - 1) * BOX, BOX):
        put(box + LINES, lines)
        put(box + COUNT, n)
        put(box + THREADS, threads)
        put(box + COUNTER, counter)
        put(box + CORE, core)
        count_up(box + POSTED)
        asleep += look(box + SLEEPS)
    return asleep


def serve(boxes, me, done, offer, core):
    """Walks the tasks that are posted, as thread `me`, until there is a reason not to.

    Returns how many it has done, and ASLEEP after a while without any, or the core of
    who posted the next, if this thread is on it too; `core` is the address of a
    function that tells, or 0.
    """
    box = boxes + (me - 1) * BOX
    put(box + SLEEPS, 0)
    while True:
        asked = 0
        while look(box + POSTED) == done:
            asked += 1
            if asked % PATIENCE == 0:
                call(offer)
            if asked == WAIT * PATIENCE:
                put(box + SLEEPS, 1)
                if look(box + POSTED) == done:
                    return done, ASLEEP
                put(box + SLEEPS, 0)
        theirs = look(box + CORE)
        if core != 0 and ask(core) == theirs:
            return done, theirs
        threads = look(box + THREADS)
        shape = (look(box + COUNT), threads, 2)
        lines = carray(pointer(look(box + LINES)), shape, int64)
        walked(lines, me, me + 1, threads, look(box + COUNTER), offer)
        done += 1
