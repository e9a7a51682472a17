"""C types as the simulated GPU knows them, and how C converts between them.

A value of a scalar type is a NumPy array with one element for each thread, or a NumPy
scalar where all threads agree. A structure is a tuple of its fields. A pointer is an
address, which knows the memory it points into by its type. (Chapter 11.)
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scalar:
    name: str
    dtype: np.dtype
    rank: int  # the order of C's usual conversions

    @property
    def size(self):
        return self.dtype.itemsize

    align = size

    @property
    def whole(self):
        """Whether this is an integer type; bool is."""
        return self.dtype.kind in "biu"

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Struct:
    name: str
    fields: tuple  # (name, type, offset in bytes) each
    size: int
    align: int

    def field(self, name):
        """(number, type, offset) of a field, or None."""
        for number, (own, kind, offset) in enumerate(self.fields):
            if own == name:
                return number, kind, offset
        return None

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Pointer:
    to: object
    space: str | None  # "global", "shared", "local"; None until something is assigned
    constant: bool = False  # const T*: nothing is written through it
    size = align = 8
    dtype = np.dtype(np.int64)

    def __str__(self):
        return f"{self.to}*"


@dataclass(frozen=True)
class Array:
    of: object
    length: int

    @property
    def size(self):
        return self.of.size * self.length

    @property
    def align(self):
        return self.of.align

    @property
    def element(self):
        """What the innermost array holds."""
        return self.of.element if isinstance(self.of, Array) else self.of

    def __str__(self):
        return f"{self.of}[{self.length}]"


def elements(kind):
    """How many innermost elements a value of this type has."""
    return kind.size // kind.element.size if isinstance(kind, Array) else 1


ROWS = (  # name, dtype, rank
    ("bool", "?", 0),
    ("char", "i1", 1),
    ("unsigned char", "u1", 1.5),
    ("short", "i2", 2),
    ("unsigned short", "u2", 2.5),
    ("int", "i4", 3),
    ("unsigned int", "u4", 3.5),
    ("long long", "i8", 4),
    ("unsigned long long", "u8", 4.5),
    ("half", "f2", 5),
    ("float", "f4", 6),
    ("double", "f8", 7),
)
SCALARS = {name: Scalar(name, np.dtype(dtype), rank) for name, dtype, rank in ROWS}
BOOL, INT, UINT = SCALARS["bool"], SCALARS["int"], SCALARS["unsigned int"]
LONG, ULONG = SCALARS["long long"], SCALARS["unsigned long long"]
HALF, FLOAT, DOUBLE = SCALARS["half"], SCALARS["float"], SCALARS["double"]
VOID = "void"
OTHER_NAMES = {
    "_Bool": BOOL,
    "__half": HALF,
    "size_t": ULONG,
    "long": LONG,
    "uint": UINT,
    "uchar": SCALARS["unsigned char"],
    "int8_t": SCALARS["char"],
    "uint8_t": SCALARS["unsigned char"],
    "int16_t": SCALARS["short"],
    "uint16_t": SCALARS["unsigned short"],
    "int32_t": INT,
    "uint32_t": UINT,
    "int64_t": LONG,
    "uint64_t": ULONG,
}


def structure(name, fields, align=1):
    """A Struct of (name, type) pairs, laid out as C does; `align` at least."""
    rows, end = [], 0
    for own, kind in fields:
        end += -end % kind.align
        rows.append((own, kind, end))
        end += kind.size
        align = max(align, kind.align)
    return Struct(name, tuple(rows), end + -end % align, align)


def vectors():
    """float2, int4 and their like; 2 and 4 are aligned to their whole size."""
    bases = {
        "char": "char",
        "uchar": "unsigned char",
        "int": "int",
        "uint": "unsigned int",
        "longlong": "long long",
        "float": "float",
        "double": "double",
    }
    for short, name in bases.items():
        for n in (2, 3, 4):
            kind = SCALARS[name]
            align = min(16, n * kind.size) if n != 3 else kind.size
            yield structure(f"{short}{n}", [(f, kind) for f in "xyzw"[:n]], align)


VECTORS = {kind.name: kind for kind in vectors()}
NAMED = {**SCALARS, **OTHER_NAMES, **VECTORS}


def written(words):
    """The scalar that the words of a declaration name, in any order, or None."""
    words = [w for w in words if w not in ("const", "volatile")]
    if len(words) == 1 and words[0] in NAMED:
        return NAMED[words[0]]
    counted = {w: words.count(w) for w in words}
    unsigned = counted.pop("unsigned", 0)
    signed = counted.pop("signed", 0)
    longs = counted.pop("long", 0)
    if counted.get("double") and longs:
        return None
    base = "long long" if longs else next((w for w in counted if w != "int"), "int")
    if not (unsigned or signed or longs or len(words) > 1):
        return None
    return SCALARS.get(f"unsigned {base}" if unsigned else base)


def promoted(kind):
    """C's integer promotion: what is smaller than int becomes int."""
    return INT if kind.whole and kind.rank < INT.rank else kind


def common(a, b):
    """The type in which C computes `a + b`."""
    a, b = promoted(a), promoted(b)
    return a if a.rank >= b.rank else b


def scalar(kind, number):
    """One NumPy scalar of this type; integers wrap around."""
    if kind.whole and kind is not BOOL:
        bits = 8 * kind.size
        number = int(number) & ((1 << bits) - 1)
        if kind.dtype.kind == "i" and number >> (bits - 1):
            number -= 1 << bits
    return kind.dtype.type(number)


def converted(value, old, new):
    """`value` of type `old` as type `new`, as the GPU's cvt instructions do it.

    A float becomes an integer by cutting its fraction off; beyond the range it is the
    nearest end of the range, and nan is 0.
    """
    if old is new:
        return value
    if new is BOOL:
        return value != 0
    if new.whole and not old.whole:
        return cut(value, new)
    return value.astype(new.dtype)


def cut(value, new):
    """Floats as integers of type `new`."""
    info = np.iinfo(new.dtype)
    wide = np.nan_to_num(np.trunc(np.asarray(value, np.float64)), nan=0.0)
    inside = np.clip(wide, float(info.min), np.nextafter(float(info.max) + 1, 0))
    whole = inside.astype(new.dtype)
    whole = np.where(wide >= float(info.max), new.dtype.type(info.max), whole)
    return whole if whole.ndim else whole[()]
