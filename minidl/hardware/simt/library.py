"""What a kernel can call: mathematics, atomics, shuffles, votes, barriers.

Each is a row: how many arguments, and a rule that writes the call. The functions that
compiled code itself needs stand at the end. (Chapter 11.)
"""

import numpy as np

from . import kinds
from .arithmetic import (
    choose,
    first_set,
    late_cast,
    leading_zeros,
    quotient,
    remainder,
    reversed_bits,
    shifted_left,
    shifted_right,
    with_field,
)
from .atomics import ATOMICS, one_by_one
from .kinds import BOOL, DOUBLE, FLOAT, HALF, INT, LONG, UINT
from .mathematics import INTRINSICS, MATHEMATICS, ROUNDINGS, saturate
from .rows import (
    absolute,
    atomic,
    floats,
    least_or_most,
    machine_call,
    making,
    plain,
    read_only_load,
    reinterpreted,
    shuffle,
    single,
    sync_warp,
    vote,
)
from .space import zero
from .warps import (
    all_of,
    any_of,
    ballot,
    from_down,
    from_idx,
    from_up,
    from_xor,
    shuffled,
)


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
