"""Number: a Python number that a traced program reads anew in each call.

A learning rate is one, and so is all that Python computes from it; where one meets a
tensor it becomes an input of the graph. A decision upon it is noted as a guard: the
trace holds as long as the decision would be the same. (Chapter 7.)
"""

import operator

from .place import INSTEAD, NO_VALUE, refuse


class Number:
    """A number of the program's own that may be another in each call.

    `get()` is its value at the time. One made by `item()` is `late`: known after the
    run, so that it can be returned, but not decided upon. `trace` takes note of
    decisions, as guards.
    """

    def __init__(self, get, value=None, trace=None, key=None, late=None):
        self.get, self.traced, self.trace, self.late = get, value, trace, late
        self.key = key  # equal for numbers that are computed alike

    @property
    def value(self):
        """What it was when the program was traced."""
        if self.late is not None:
            refuse(NO_VALUE, INSTEAD)
        return self.traced

    def of(self, function, *others):
        """function(self, *others) as a number; NotImplemented for other operands."""
        numbers = (self, *others)
        if not all(isinstance(n, Number | int | float) for n in numbers):
            return NotImplemented
        late = [n for n in numbers if isinstance(n, Number) and n.late is not None]
        if late:
            return Late(function, numbers)
        trace = next(n.trace for n in numbers if isinstance(n, Number))
        key = (function, *[n.key if isinstance(n, Number) else n for n in numbers])
        gets = [n.get if isinstance(n, Number) else constantly(n) for n in numbers]
        values = [n.value if isinstance(n, Number) else n for n in numbers]

        def get():
            return function(*[g() for g in gets])

        return Number(get, function(*values), trace, key)

    def known(self, what, remedy=INSTEAD):
        """The value when traced; the trace then holds for this `what` of it only."""
        if self.late is not None:
            refuse(NO_VALUE, remedy)
        answer, get = what(self.value), self.get
        words = f"{what.__name__}({self.name}) is {answer}"
        self.trace.guards[self.key, what] = (lambda: what(get()) == answer, words)
        return answer

    @property
    def name(self):
        """The key under which an optimiser keeps it, if it does."""
        own = self.key[1] if isinstance(self.key, tuple) else None
        return own if isinstance(own, str) else "a number"

    def symbol(self, dtype):
        """The Symbol of this number as a 0-dimensional input of the graph."""
        if self.late is not None:
            refuse(NO_VALUE, INSTEAD)
        return self.trace.number(self, dtype)

    def __bool__(self):
        return self.known(bool)

    def __float__(self):
        return self.known(float)

    def __int__(self):
        return self.known(int)

    __index__ = __int__
    __hash__ = object.__hash__

    def __repr__(self):
        return "a number" if self.late is not None else f"the number {self.traced}"

    def __format__(self, spec):
        return format(float(self), spec) if spec else repr(self)

    def __neg__(self):
        return self.of(operator.neg)

    def __abs__(self):
        return self.of(operator.abs)


class Late(Number):
    """A number computed from one that will be known after the run."""

    def __init__(self, function, numbers):
        super().__init__(None, late=self)
        self.function, self.numbers = function, numbers


def constantly(value):
    return lambda: value


def add_operators(names):
    for name in names.split():
        function = getattr(operator, name)

        def method(self, other, function=function):
            return self.of(function, other)

        def swapped(x, y, function=function):
            return function(y, x)

        def reflected(self, other, swapped=swapped):
            return self.of(swapped, other)

        setattr(Number, f"__{name}__", method)
        setattr(Number, f"__r{name}__", reflected)


def add_comparisons(names):
    for name in names.split():
        function = getattr(operator, name)

        def method(self, other, function=function):
            answer = self.of(function, other)
            return answer if answer is NotImplemented else bool(answer)

        setattr(Number, f"__{name}__", method)


add_operators("add sub mul truediv floordiv mod pow")
add_comparisons("lt le gt ge eq ne")
