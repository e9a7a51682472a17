"""Size: a dimension whose number is not known yet, such as the batch's. (Chapter 7.)

A Size is a polynomial with integer coefficients in symbols: B, 2 B, B + 1, B T. Shape
rules add, multiply and compare sizes, and that is all a Size does. Two polynomials are
one size if they are equal as polynomials; two symbols are different sizes. A symbol
stands for at least 2: it never stretches as 1 does. What then can't be decided raises
SizeError.
"""

import operator
from functools import total_ordering

from .polynomial import LEAST, added, bounds, divided, multiplied, text


class SizeError(ValueError):
    """What is asked of a symbolic size has no answer before its number is known."""


@total_ordering
class Size:
    """Size("B"), a symbol, or what is computed from symbols and integers."""

    __slots__ = ("terms",)

    def __init__(self, name=None, terms=None):
        # {symbols, in order: coefficient}; the term without symbols is ().
        self.terms = {(name,): 1} if terms is None else terms

    # ---- adding and multiplying

    def __add__(self, other):
        return calculate(self, other, operator.add, added)

    def __sub__(self, other):
        return calculate(self, other, operator.sub, lambda a, b: added(a, b, -1))

    def __rsub__(self, other):
        return calculate(
            self, other, swapped(operator.sub), lambda a, b: added(b, a, -1)
        )

    def __mul__(self, other):
        return calculate(self, other, operator.mul, multiplied)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    # ---- dividing: where it comes out even

    def __floordiv__(self, other):
        return evenly(self, other)

    def __rfloordiv__(self, other):
        return evenly(other, self)

    def __mod__(self, other):
        return evenly(self, other) * 0

    def __rmod__(self, other):
        return evenly(other, self) * 0

    def __truediv__(self, other):
        """A float: the ratio if it is one whatever the symbols are, else nan."""
        found, inverse = quotient(self, other), quotient(other, self)
        if isinstance(found, int):
            return float(found)
        if isinstance(inverse, int):
            return 1 / inverse
        return calculate(self, other, operator.truediv, lambda a, b: UNKNOWN)

    def __rtruediv__(self, other):
        return calculate(self, other, swapped(operator.truediv), lambda a, b: UNKNOWN)

    # ---- comparing

    def __eq__(self, other):
        return is_size(other) and terms_of(self) == terms_of(other)

    def __lt__(self, other):
        """Whether it is smaller whatever the symbols are; SizeError if that depends."""
        if not is_size(other):
            return NotImplemented
        difference = added(terms_of(self), terms_of(other), -1)
        low, high = bounds(difference)
        if low is not None and low >= 0:
            return False
        if high is not None and high < 0:
            return True
        raise SizeError(f"whether {self} is less than {other} depends on what it is")

    def __hash__(self):
        return hash(frozenset(self.terms.items()))

    def __index__(self):
        raise TypeError(f"the size {self} is not known before the program runs")

    __int__ = __index__

    def __float__(self):
        return UNKNOWN

    def __repr__(self):
        return text(self.terms)


# A number that depends on a size. Shapes don't depend on it.
UNKNOWN = float("nan")


def is_size(value):
    """Whether `value` is a Size or an integer; a tensor is neither."""
    whole = hasattr(value, "__index__") and not hasattr(value, "requires_grad")
    return isinstance(value, Size) or whole


def terms_of(value):
    if isinstance(value, Size):
        return value.terms
    return {(): int(value)} if value else {}


def size(terms):
    """A Size of these terms, or an int where no symbol is left."""
    terms = {symbols: n for symbols, n in terms.items() if n}
    return terms.get((), 0) if set(terms) <= {()} else Size(terms=terms)


def quotient(x, y):
    """x / y, where it comes out even; else None."""
    if not is_size(x) or not is_size(y):
        return None
    found = divided(terms_of(x), terms_of(y))
    return found if found is None else size(found)


def evenly(x, y):
    found = quotient(x, y)
    if found is None:
        raise SizeError(f"whether {y} divides {x} depends on what they are")
    return found


def calculate(x, y, operation, on_terms):
    """`operation` on a size and what it meets: another size, a number, a tensor.

    A tensor gets some number in the size's place: only types are followed.
    """
    if hasattr(y, "requires_grad"):
        return operation(LEAST, y)
    if not is_size(y):
        return UNKNOWN if isinstance(y, float) else NotImplemented
    found = on_terms(terms_of(x), terms_of(y))
    return size(found) if isinstance(found, dict) else found


def swapped(operation):
    return lambda x, y: operation(y, x)


# ---- slices


def count(start, stop, step):
    """How many elements a slice of these bounds has."""
    if isinstance(start, Size) or isinstance(stop, Size):
        return (stop - start + step - 1) // step
    return len(range(start, stop, step))


def slice_bounds(part, size):
    """The (start, stop, step) of slice `part` among `size` elements."""
    if not isinstance(size, Size):
        return part.indices(size)
    start = 0 if part.start is None else within(part.start, size)
    stop = size if part.stop is None else within(part.stop, size)
    return (start, stop, part.step or 1)


def within(place, size):
    return min(place + size if place < 0 else place, size)


def is_symbolic(shape):
    return any(isinstance(n, Size) for n in shape)
