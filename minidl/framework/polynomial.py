"""Polynomials with integer coefficients: {symbols, in order: coefficient}. (Chapter 7.)

2 B T + 1 is {("B", "T"): 2, (): 1}. Symbols stand for integers of at least LEAST.
"""

LEAST = 2


def added(a, b, sign=1):
    return {t: a.get(t, 0) + sign * b.get(t, 0) for t in a.keys() | b.keys()}


def multiplied(a, b):
    terms = {}
    for s, m in a.items():
        for t, n in b.items():
            symbols = tuple(sorted(s + t))
            terms[symbols] = terms.get(symbols, 0) + m * n
    return terms


def divided(x, y):
    """x / y where y has one term, which divides each of x's; else None."""
    if len(y) != 1:
        return None
    ((symbols, factor),) = y.items()
    terms = {}
    for own, n in x.items():
        left = list(own)
        if n % factor or any(own.count(s) < symbols.count(s) for s in symbols):
            return None
        for s in symbols:
            left.remove(s)
        terms[tuple(left)] = n // factor
    return terms


def bounds(terms):
    """(least, largest) that a polynomial can be; None where there is no limit."""
    moving = [n for symbols, n in terms.items() if symbols and n]
    at_least = sum(n * LEAST ** len(symbols) for symbols, n in terms.items())
    low = at_least if all(n > 0 for n in moving) else None
    high = at_least if all(n < 0 for n in moving) else None
    return low, high


def text(terms):
    ordered = sorted(terms.items(), key=lambda item: (-len(item[0]), item))
    return " + ".join(term_text(*term) for term in ordered).replace("+ -", "- ")


def term_text(symbols, n):
    words = " ".join(symbols)
    return str(n) if not symbols else words if n == 1 else f"{n} {words}"
