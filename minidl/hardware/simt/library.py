"""What a kernel can call: mathematics, atomics, shuffles, votes, barriers.

Each is a row: how many arguments, and a rule that writes the call. The functions that
compiled code itself needs stand at the end. (Chapter 11.)
"""

import math

import numpy as np
from numba import njit, vectorize

from . import kinds
from .kinds import BOOL, DOUBLE, FLOAT, HALF, INT, LONG, UINT, Pointer, Scalar, common
from .machine import zero
from .memory import WARP
from .values import Value


def floats(number, function):
    """A row of mathematics in float or double, as the arguments are."""

    def rule(writer, values, node, single=False):
        kind = values[0].kind
        for value in values[1:]:
            kind = common(kind, value.kind)
        kind = FLOAT if single or kind is FLOAT or kind is HALF else DOUBLE
        values = [writer.cast(v, kind, node) for v in values]
        writer.tally("special")
        name = f"N_{function}"
        return Value(f"{name}({', '.join(v.code for v in values)})", kind)

    return number, rule


@vectorize(["f4(f4)", "f8(f8)"], cache=True)
def erf(x):
    return math.erf(x)


@vectorize(["f4(f4)", "f8(f8)"], cache=True)
def erfc(x):
    return math.erfc(x)


def fused(a, b, c):
    """a * b + c with one rounding, by way of a wider type."""
    wide = np.float64 if a.dtype == np.float32 else np.longdouble
    return (a.astype(wide) * b + c).astype(a.dtype)


MATHEMATICS = {  # name: (number of arguments, function)
    "sqrt": (1, np.sqrt), "rsqrt": (1, lambda x: 1 / np.sqrt(x)), "cbrt": (1, np.cbrt),
    "exp": (1, np.exp), "exp2": (1, np.exp2), "expm1": (1, np.expm1),
    "exp10": (1, lambda x: np.power(x.dtype.type(10), x)),
    "log": (1, np.log), "log2": (1, np.log2), "log10": (1, np.log10),
    "log1p": (1, np.log1p), "sin": (1, np.sin), "cos": (1, np.cos), "tan": (1, np.tan),
    "asin": (1, np.arcsin), "acos": (1, np.arccos), "atan": (1, np.arctan),
    "sinh": (1, np.sinh), "cosh": (1, np.cosh), "tanh": (1, np.tanh),
    "asinh": (1, np.arcsinh), "acosh": (1, np.arccosh), "atanh": (1, np.arctanh),
    "floor": (1, np.floor), "ceil": (1, np.ceil), "trunc": (1, np.trunc),
    "rint": (1, np.rint), "nearbyint": (1, np.rint), "fabs": (1, np.abs),
    "round": (1, lambda x: np.copysign(np.floor(np.abs(x) + x.dtype.type(0.5)), x)),
    "erf": (1, erf), "erfc": (1, erfc),
    "pow": (2, np.power), "atan2": (2, np.arctan2), "fmod": (2, np.fmod),
    "hypot": (2, np.hypot), "fmax": (2, np.fmax), "fmin": (2, np.fmin),
    "copysign": (2, np.copysign), "fdim": (2, lambda a, b: np.fmax(a - b, a * 0)),
    "fma": (3, fused),
}  # fmt: skip
INTRINSICS = {"__expf": "exp", "__logf": "log", "__sinf": "sin", "__cosf": "cos",
              "__tanf": "tan", "__powf": "pow", "__exp10f": "exp10", "__log2f": "log2",
              "__log10f": "log10", "__fsqrt_rn": "sqrt", "__frsqrt_rn": "rsqrt",
              "__fmaf_rn": "fma", "__saturatef": "saturate"}  # fmt: skip


def saturate(x):
    return np.clip(np.where(x == x, x, x.dtype.type(0)), 0, 1)[()]


# ---- rows written out: (writer, values, node) -> Value


def least_or_most(function):
    def rule(writer, values, node):
        a, b = values
        kind = a.kind if a.kind is b.kind else common(a.kind, b.kind)
        a, b = (writer.cast(v, kind, node) for v in (a, b))
        writer.tally("int" if kind.whole else "float")
        name = f"np.{function}" if kind.whole else f"np.f{function[:3]}"
        return Value(f"{name}({a.code}, {b.code})", kind)

    return 2, rule


def absolute(writer, values, node):
    kind = kinds.promoted(values[0].kind)
    value = writer.cast(values[0], kind, node)
    writer.tally("int" if kind.whole else "float")
    return Value(f"np.abs({value.code})", kind)


def plain(code, takes, gives, tally="int"):
    """A row for a function of NumPy text: `code` with {0}, {1} for the arguments."""

    def rule(writer, values, node):
        values = [writer.cast(v, k, node) for v, k in zip(values, takes)]
        writer.tally(tally)
        return Value(code.format(*(v.code for v in values)), gives)

    return len(takes), rule


def making(kind):
    """make_float4 and its like."""

    def rule(writer, values, node):
        own = [k for _, k, _ in kind.fields]
        values = [writer.cast(v, k, node) for v, k in zip(values, own)]
        return Value(f"({', '.join(v.code for v in values)},)", kind)

    return len(kind.fields), rule


def machine_call(code, gives=kinds.VOID, number=0, tally="sync"):
    """A row that calls the machine here and now: R.barrier(site, mask, ...)."""

    def rule(writer, values, node):
        writer.tally(tally)
        more = "".join(f", {v.code}" for v in values)
        text = f"R.{code}({writer.at(node)}, {writer.mask}{more})"
        if gives == kinds.VOID:
            writer.emit(text)
            return Value("None", gives)
        return writer.temporary(Value(text, gives))

    return number, rule


def sync_warp(writer, values, node):
    named = values[0] if values else writer.known(UINT, 0xFFFFFFFF)
    named = writer.cast(named, UINT, node)
    return machine_call("warp_barrier")[1](writer, [named], node)


def vote(function, gives):
    def rule(writer, values, node):
        named, predicate = values
        named = writer.cast(named, UINT, node)
        predicate = writer.cast(predicate, BOOL, node)
        writer.tally("shuffle")
        return writer.temporary(
            Value(
                f"{function}(R, {writer.at(node)}, {writer.mask}, {named.code}, "
                f"{predicate.code})",
                gives,
            )
        )

    return 2, rule


def shuffle(function):
    def rule(writer, values, node):
        named, value, by = values[:3]
        named, by = writer.cast(named, UINT, node), writer.cast(by, INT, node)
        width = values[3] if len(values) > 3 else writer.known(INT, WARP)
        width = writer.cast(width, INT, node)
        writer.tally("shuffle")
        code = ", ".join(v.code for v in (named, value, by, width))
        text = f"shuffled(R, {writer.at(node)}, {writer.mask}, {function}, {code})"
        return writer.temporary(Value(text, value.kind))

    return (3, 4), rule


def atomic(function):
    def rule(writer, values, node):
        pointer = values[0]
        if not isinstance(pointer.kind, Pointer) or pointer.kind.space == "local":
            raise writer.program.wrong(
                "an atomic works on global or shared memory: give it an address, as in "
                "&total",
                node,
            )
        kind = pointer.kind.to
        narrow = kind is HALF or kind == kinds.VOID or kind.size < 4
        if pointer.kind.constant or narrow or not isinstance(kind, Scalar):
            raise writer.program.wrong(f"an atomic can't change a {kind} here", node)
        if not kind.whole and function not in ("add", "exch", "sub"):
            raise writer.program.wrong(
                f"atomic {function} takes whole numbers, not {kind}", node
            )
        rest = ", ".join(writer.cast(v, kind, node).code for v in values[1:])
        writer.tally("atomic")
        writer.program.touches(kind)
        text = (
            f"R.atomic({writer.at(node)}, {writer.mask}, {pointer.code}, "
            f'"{pointer.kind.space}", T_{kind.name.replace(" ", "_")}, '
            f"A_{function}, {rest})"
        )
        return writer.temporary(Value(text, kind))

    return (3 if function == "cas" else 2), rule


def read_only_load(writer, values, node):
    return writer.read(writer.behind(values[0], node), node)


def reinterpreted(old, new):
    def rule(writer, values, node):
        value = writer.cast(values[0], old, node)
        return Value(f"{value.code}.view(T_{new.name}.dtype)", new)

    return 1, rule


ROUNDINGS = {"rn": np.rint, "rz": np.trunc, "rd": np.floor, "ru": np.ceil}


def tables():
    """Every function that a kernel may call: {name: (number of arguments, rule)}."""
    calls = {}
    for name, (number, _) in MATHEMATICS.items():
        calls[name] = floats(number, name)
        calls[f"{name}f"] = number, single(calls[name][1])
    for name, own in INTRINSICS.items():
        number = 1 if own == "saturate" else MATHEMATICS[own][0]
        calls[name] = number, single(floats(number, own)[1])
    calls |= {
        "min": least_or_most("minimum"), "max": least_or_most("maximum"),
        "abs": (1, absolute),
        "isnan": plain("np.isnan({0})", [DOUBLE], BOOL),
        "isinf": plain("np.isinf({0})", [DOUBLE], BOOL),
        "isfinite": plain("np.isfinite({0})", [DOUBLE], BOOL),
        "__fdividef": plain("({0} / {1})", [FLOAT, FLOAT], FLOAT, "special"),
        "__popc": plain("np.bitwise_count({0}).astype(np.int32)", [UINT], INT),
        "__popcll": plain(
            "np.bitwise_count({0}).astype(np.int32)", [kinds.ULONG], INT
        ),
        "__clz": plain("leading_zeros({0})", [UINT], INT),
        "__ffs": plain("first_set({0})", [UINT], INT),
        "__brev": plain("reversed_bits({0})", [UINT], UINT),
        "__half2float": plain("{0}", [FLOAT], FLOAT, "convert"),
        "__float2half": plain("{0}", [HALF], HALF, "convert"),
        "__float2half_rn": plain("{0}", [HALF], HALF, "convert"),
        "__int2float_rn": plain("{0}", [FLOAT], FLOAT, "convert"),
        "__float_as_int": reinterpreted(FLOAT, INT),
        "__int_as_float": reinterpreted(INT, FLOAT),
        "__ldg": (1, read_only_load),
        "__syncthreads": machine_call("barrier"),
        "__syncwarp": ((0, 1), sync_warp),
        "__threadfence": machine_call("fence"),
        "__threadfence_block": machine_call("fence"),
        "__activemask": machine_call("active", UINT, tally="shuffle"),
        "__ballot_sync": vote("ballot", UINT),
        "__any_sync": vote("any_of", INT), "__all_sync": vote("all_of", INT),
    }  # fmt: skip
    for way in ROUNDINGS:
        code = f"converted(round_{way}({{0}}), T_float, T_int)"
        calls[f"__float2int_{way}"] = plain(code, [FLOAT], INT, "convert")
    for name in ("idx", "up", "down", "xor"):
        suffix = "" if name == "idx" else f"_{name}"
        calls[f"__shfl{suffix}_sync"] = shuffle(f"from_{name}")
    for name in ATOMICS:
        own = "CAS" if name == "cas" else name.capitalize()
        calls[f"atomic{own}"] = atomic(name)
    calls |= {f"make_{k.name}": making(k) for k in kinds.VECTORS.values()}
    return calls


def single(rule):
    return lambda writer, values, node: rule(writer, values, node, single=True)


def call_builtin(writer, name, arguments, node):
    """The Value of a call of a row."""
    number, rule = CALLS[name]
    allowed = number if isinstance(number, tuple) else (number,)
    if len(arguments) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise writer.program.wrong(
            f"{name} takes {wanted} arguments, found {len(arguments)}", node
        )
    return rule(writer, [writer.value(a) for a in arguments], node)


# ---- atomics, one lane after another


def one_by_one(new):
    """A loop over lanes that stores new(old, value, other) and keeps each old value."""
    new = njit(new)

    @njit
    def run(memory, places, active, old, value, other):
        for lane in range(places.size):
            if active[lane]:
                at = places[lane]
                old[lane] = memory[at]
                memory[at] = new(memory[at], value[lane], other[lane])

    return lambda memory, places, active, old, *values: run(
        memory, places, active, old, values[0], values[-1]
    )


ATOMICS = {
    "add": lambda old, value, other: old + value,
    "sub": lambda old, value, other: old - value,
    "exch": lambda old, value, other: value,
    "min": lambda old, value, other: min(old, value),
    "max": lambda old, value, other: max(old, value),
    "and": lambda old, value, other: old & value,
    "or": lambda old, value, other: old | value,
    "xor": lambda old, value, other: old ^ value,
    "inc": lambda old, value, other: 0 if old >= value else old + 1,
    "dec": lambda old, value, other: value if old == 0 or old > value else old - 1,
    "cas": lambda old, value, other: other if old == value else old,
}

# ---- within a warp


def by_warp(value, lanes):
    return np.broadcast_to(value, (lanes,)).reshape(-1, WARP)


def over_warp(rows):
    """A value for each warp as one for each lane."""
    return np.repeat(rows, WARP)


def voted(machine, site, mask, named, predicate):
    """Which lanes of each warp are here and hold the predicate."""
    machine.named(site, mask, named)
    return by_warp(predicate, machine.lanes) & mask.lanes.reshape(-1, WARP)


def ballot(machine, site, mask, named, predicate):
    bits = np.uint32(1) << np.arange(WARP, dtype=np.uint32)
    held = voted(machine, site, mask, named, predicate)
    return over_warp((held * bits).sum(1, dtype=np.uint32))


def any_of(machine, site, mask, named, predicate):
    held = voted(machine, site, mask, named, predicate)
    return over_warp(held.any(1).astype(np.int32))


def all_of(machine, site, mask, named, predicate):
    held = voted(machine, site, mask, named, predicate)
    here = mask.lanes.reshape(-1, WARP)
    return over_warp((held == here).all(1).astype(np.int32))


def from_idx(lane, by, width):
    return lane - lane % width + by % width


def from_up(lane, by, width):
    return np.where(lane % width >= by, lane - by, lane)


def from_down(lane, by, width):
    return np.where(lane % width + by < width, lane + by, lane)


def from_xor(lane, by, width):
    # A lane of an earlier part of the warp may be read, a later one may not.
    other = lane ^ by
    return np.where(other // width <= lane // width, other, lane)


def shuffled(machine, site, mask, source, named, value, by, width):
    """Each lane's value of another lane of its warp."""
    machine.named(site, mask, named)
    n = machine.lanes
    by = np.broadcast_to(by, (n,)).astype(np.int64)
    width = np.broadcast_to(width, (n,)).astype(np.int64)
    bad = mask.lanes & ((width < 1) | (width > WARP) | (width & (width - 1) != 0))
    if bad.any():
        lane = int(bad.argmax())
        machine.fault("bad shuffle", f"the width is {width[lane]}", site, lane)
    lane = np.arange(n) % WARP
    chosen = source(lane, by, width)
    whom = np.arange(n) - lane + chosen % WARP
    absent = mask.lanes & ~mask.lanes[whom]
    if absent.any():
        lane = int(absent.argmax())
        words = f"it reads lane {int(chosen[lane] % WARP)}, which is not here"
        machine.fault("bad shuffle", words, site, lane)
    if isinstance(value, tuple):
        return tuple(np.broadcast_to(v, (n,))[whom] for v in value)
    return np.broadcast_to(value, (n,))[whom]


# ---- what compiled code itself needs


def quotient(machine, site, mask, a, b):
    """a / b of integers: cut towards zero, as C has it."""
    b = divisor(machine, site, mask, b)
    whole = a // b
    if whole.dtype.kind == "u":
        return whole
    inexact = (whole * b != a) & ((a < 0) != (b < 0))
    return (whole + inexact).astype(whole.dtype)


def remainder(machine, site, mask, a, b):
    """a % b of integers: with the sign of `a`."""
    b = divisor(machine, site, mask, b)
    if b.dtype.kind == "u":
        return a % b
    return np.fmod(a, b)


def divisor(machine, site, mask, b):
    """`b` where no active lane has 0; the others' is 1."""
    if not isinstance(b, np.ndarray):
        if b == 0:
            machine.fault(
                "division by zero", "the divisor is 0", site, int(mask.lanes.argmax())
            )
        return b
    none = b == 0
    if none.any():
        wrong = none & mask.lanes
        if wrong.any():
            lane = int(wrong.argmax())
            machine.fault("division by zero", "the divisor is 0", site, lane)
        return np.where(none, b.dtype.type(1), b)
    return b


def shift_count(machine, site, mask, a, b):
    bits = 8 * a.dtype.itemsize
    outside = (b < 0) | (b >= bits)
    if np.any(outside):
        wrong = np.broadcast_to(outside, (machine.lanes,)) & mask.lanes
        if wrong.any():
            lane = int(wrong.argmax())
            found = np.broadcast_to(b, (machine.lanes,))[lane]
            words = f"a value of {bits} bits is shifted by {found}"
            machine.fault("bad shift", words, site, lane)
        b = np.where(outside, 0, b)
    return b.astype(a.dtype)


def shifted_left(machine, site, mask, a, b):
    return a << shift_count(machine, site, mask, a, b)


def shifted_right(machine, site, mask, a, b):
    return a >> shift_count(machine, site, mask, a, b)


def choose(condition, a, b):
    """`a` where the condition holds, else `b`; None is a side that nobody took."""
    if a is None or b is None:
        return b if a is None else a
    if not isinstance(condition, np.ndarray):
        return a if condition else b
    if isinstance(a, tuple):
        return tuple(choose(condition, x, y) for x, y in zip(a, b))
    if hasattr(a, "chosen"):
        return a.chosen(condition, b)
    return np.where(condition, a, b)


def late_cast(value, old, new):
    return None if value is None else kinds.converted(value, old, new)


def with_field(value, number, new):
    """A structure with one field replaced."""
    return (*value[:number], new, *value[number + 1 :])


def leading_zeros(x):
    return np.int32(32) - np.ceil(np.log2(x.astype(np.float64) + 1)).astype(np.int32)


def first_set(x):
    lowest = x & (~x + x.dtype.type(1))
    return np.int32(32) - leading_zeros(lowest)


def reversed_bits(x):
    out = x & np.uint32(0)
    for i in range(32):
        out = out | ((x >> np.uint32(i) & np.uint32(1)) << np.uint32(31 - i))
    return out


CALLS = tables()
NAMES = {
    "np": np, "zero": zero, "converted": kinds.converted, "LONG": LONG,
    "saturate": saturate, "N_saturate": saturate,
    **{f"N_{name}": function for name, (_, function) in MATHEMATICS.items()},
    **{f"A_{name}": one_by_one(rule) for name, rule in ATOMICS.items()},
    **{f"round_{way}": function for way, function in ROUNDINGS.items()},
    **{f.__name__: f for f in (
        ballot, any_of, all_of, shuffled, from_idx, from_up, from_down, from_xor,
        quotient, remainder, shifted_left, shifted_right, choose, late_cast, with_field,
        leading_zeros, first_set, reversed_bits,
    )},
}  # fmt: skip
