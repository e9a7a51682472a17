"""What the compiler knows of an expression: its text, its type, its place.

(Chapter 11.)
"""

from dataclasses import dataclass

from . import kinds
from .kinds import INT, LONG, Scalar


@dataclass(frozen=True)
class Value:
    code: str
    kind: object
    constant: object = None  # the number, where it is known
    product: bool = False  # a float product, which an addition takes in as one FMA


@dataclass
class Variable:
    code: str
    kind: object
    domain: int  # the region of the program that it lives in
    tracked: bool = False  # whether it may be read before it has a value
    constant: object = None


@dataclass(frozen=True)
class Memory:
    address: str
    kind: object
    space: str


@dataclass(frozen=True)
class Element:
    """A place in a local array; `index` counts innermost elements."""

    array: str
    index: str
    kind: object


@dataclass(frozen=True)
class Field:
    base: object
    number: int
    kind: object


def type_name(kind):
    """The name of a type in compiled code."""
    if isinstance(kind, Scalar):
        return "T_" + kind.name.replace(" ", "_")
    return f"T_{kind.name}"


SUFFIXES = {"u": "unsigned int", "ul": "unsigned long long", "l": "long long",
            "ull": "unsigned long long", "ll": "long long", "": "int"}  # fmt: skip


def literal(node):
    """(number, type) of a constant in the source."""
    text = node.value
    if node.type == "char":
        code = ord(text[1:-1].encode().decode("unicode_escape"))
        return (code ^ 0x80) - 0x80, INT  # char has a sign
    if "0x" not in text.lower() and any(c in text for c in ".eEfF"):
        single = text[-1] in "fF"
        return float(text.rstrip("fFlL")), kinds.FLOAT if single else kinds.DOUBLE
    digits = text.rstrip("uUlL")
    suffix = "".join(sorted(text[len(digits) :].lower(), reverse=True))
    decimal = digits[0] != "0"
    octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
    number = int(digits, 8) if octal else int(digits, 0)
    return number, smallest(number, kinds.SCALARS[SUFFIXES[suffix]], decimal)


def smallest(number, least, decimal):
    """The first type from `least` on that holds `number`; without a sign only where
    the suffix says so or the number is hexadecimal or octal."""
    for kind in (INT, kinds.UINT, LONG, kinds.ULONG):
        signed = kind.dtype.kind == "i"
        fits = number < 1 << (8 * kind.size - signed)
        wanted = kind.rank >= least.rank and (least.dtype.kind == "i" or not signed)
        if fits and wanted and (signed or least.dtype.kind == "u" or not decimal):
            return kind
    return kinds.ULONG


def cut(a, b):
    """a / b of integers, cut towards zero."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def number_of(op, parts):
    """The number of an operation on integer constants, as C has it; None: not known."""
    if op == "?":
        return parts[1] if parts[0] else parts[2]
    if len(parts) == 1:
        rule = {"-": lambda a: -a, "+": lambda a: a, "~": lambda a: ~a,
                "!": lambda a: int(not a)}.get(op)  # fmt: skip
        return rule and rule(*parts)
    rule = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
        "/": lambda a, b: cut(a, b) if b else None, "<": lambda a, b: int(a < b),
        "%": lambda a, b: a - b * cut(a, b) if b else None,
        "<<": lambda a, b: a << b if 0 <= b < 64 else None,
        ">>": lambda a, b: a >> b if 0 <= b < 64 else None,
        "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b,
        ">": lambda a, b: int(a > b), "==": lambda a, b: int(a == b),
        "<=": lambda a, b: int(a <= b), ">=": lambda a, b: int(a >= b),
        "!=": lambda a, b: int(a != b), "&&": lambda a, b: int(bool(a and b)),
        "||": lambda a, b: int(bool(a or b)),
    }.get(op)  # fmt: skip
    whole = all(isinstance(p, int) for p in parts)
    return rule(*parts) if rule and whole else None
