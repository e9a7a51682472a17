"""How each kind of call is written: rules of (writer, values, node) to a Value.

(Chapter 11.)
"""

from . import kinds
from .kinds import BOOL, DOUBLE, FLOAT, HALF, INT, UINT, Pointer, Scalar, common
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


def single(rule):
    return lambda writer, values, node: rule(writer, values, node, single=True)
