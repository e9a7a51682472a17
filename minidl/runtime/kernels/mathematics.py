"""exp, log, tanh and their like for float32, as arithmetic that vectorises.

A loop over `np.exp` calls a library once for each number. A loop over `exp` of this
file is multiplications, additions and shifts, which the CPU does on 8 or 16 numbers at
once. Each function reduces its argument to a short interval, takes a polynomial there
(fitted for the least largest relative error), and puts the exponent back bit by bit.
Within about 2 units in the last place of NumPy's; inf, nan and numbers too small for a
full mantissa come out right; of -0 the sign may be lost.

The functions are compiled into the loop that calls them. They allow a product and a sum
to be fused, but not reordering: it would undo the two-part constants. (Chapter 9.)
"""

import numpy as np
from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

inlined = njit(fastmath={"contract", "nsz"}, error_model="numpy", forceinline=True)
f32, i32 = np.float32, np.int32

ONE, HALF, TWO = f32(1), f32(0.5), f32(2)
INFINITY, NAN = f32(np.inf), f32(np.nan)
LOG2_E = f32(1.4426950408889634)
# log 2 in two parts: a whole number times the first is exact, 9 bits by 8 bits.
LOG_2_HIGH, LOG_2_LOW = f32(0.693359375), f32(-2.1219444005469057e-4)
# Added to a small float, it leaves no bit for a fraction: the sum's last bits are the
# float rounded to a whole number.
ROUNDER = f32(1.5 * 2**23)
ROUNDER_BITS = i32(0x4B400000)
BIAS, MANTISSA = i32(127), i32(23)  # of a float32's exponent; bits behind it

# (exp(r) - 1 - r) / r**2 for |r| <= log(2) / 2, relative error of exp 1e-8
E2, E3, E4 = f32(0.5), f32(0.16666577), f32(0.04166637)
E5, E6 = f32(0.00836323), f32(0.00139412)


@inlined
def power_of_two(n):
    """2.0**n for n from -126 to 127: the exponent's bits are all there is to it."""
    return i32((n + BIAS) << MANTISSA).view(f32)


@inlined
def split(x):
    """(n, r): x = n log(2) + r with n whole and |r| <= log(2) / 2."""
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = x - n * LOG_2_HIGH - n * LOG_2_LOW
    return i32(f32(shifted).view(i32) - ROUNDER_BITS), r


@inlined
def exp_less_one(r):
    """exp(r) - 1 for |r| <= log(2) / 2, exact to the last bits also near 0."""
    return r + r * r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * E6))))


@inlined
def clamped(x, low, high):
    """x held within low and high; a nan stays."""
    x = low if x < low else x
    return high if x > high else x


@inlined
def exp(x):
    """e**x as 2**n e**r. 2**n in two factors, for it may be beyond any float32."""
    n, r = split(clamped(x, f32(-104), f32(89)))
    half = n >> i32(1)
    powers = power_of_two(half), power_of_two(n - half)
    return (exp_less_one(r) + ONE) * powers[0] * powers[1]


@inlined
def expm1(x):
    """exp(x) - 1 for -50 <= x <= 50, without the loss of digits near 0."""
    n, r = split(x)
    power = power_of_two(n)
    return power * exp_less_one(r) + (power - ONE)


@inlined
def tanh(x):
    """(exp(2 x) - 1) / (exp(2 x) + 1); beyond 9.1 it rounds to 1."""
    e = expm1(TWO * clamped(x, f32(-9.1), f32(9.1)))
    return e / (e + TWO)


@inlined
def sigmoid(x):
    return ONE / (ONE + exp(-x))


# (log((1 + s) / (1 - s)) - 2 s) / s**3 in z = s**2, for s up to 0.172
L1, L2, L3 = f32(0.66666686), f32(0.39988487), f32(0.29592458)
SMALLEST = f32(2.0**-126)  # with a full mantissa
ROOT_HALF_BITS = i32(0x3F3504F3)  # of sqrt(1/2)


@inlined
def log(x):
    """log(2**n m) = n log(2) + log(m), with m from sqrt(1/2) to sqrt(2)."""
    tiny = x < SMALLEST
    bits = i32(f32(x * f32(2.0**25) if tiny else x).view(i32))
    n = i32((bits - ROOT_HALF_BITS) >> MANTISSA)
    m = i32(bits - (n << MANTISSA)).view(f32)
    whole = f32(n - i32(25) if tiny else n)
    result = whole * LOG_2_HIGH + (log_near_one(m - ONE) + whole * LOG_2_LOW)
    result = x if x == INFINITY else result
    result = -INFINITY if x == f32(0) else result
    return result if x >= f32(0) else NAN


@inlined
def log_near_one(f):
    """log(1 + f) by s = f / (2 + f): 2 s + 2 s**3 / 3 + ..., and 2 s = f - s f."""
    s = f / (TWO + f)
    z = s * s
    half = HALF * f * f
    return f - (half - s * (half + z * (L1 + z * (L2 + z * L3))))


# ---- choices


def instruction(name):
    """The function of two floats that is LLVM's instruction of that name.

    Written as a choice, a maximum that keeps nan would not vectorise in a reduction.
    """

    @intrinsic
    def function(typing, x, y):
        def write(context, builder, signature, arguments):
            kind = arguments[0].type
            form = ir.FunctionType(kind, [kind, kind])
            llvm = builder.module.declare_intrinsic(f"llvm.{name}", [kind], form)
            return builder.call(llvm, arguments)

        return x(x, x), write

    return function


maximum = instruction("maximum")  # nan if either is nan
minimum = instruction("minimum")


@inlined
def larger(x, y):
    """y if it is above x, else x; so a nan in y is left out."""
    return y if y > x else x


@inlined
def sign(x, one):
    """`one`, 0 or -`one`; nan of nan."""
    zero = one - one
    return one if x > zero else (-one if x < zero else x)


@inlined
def where(condition, x, y):
    """x or y; both are computed, so that no lane of a vector must wait."""
    return x if condition else y
