"""`check`: a kernel that keeps the rules of the loop IR, or a sentence. (Chapter 9.)"""

import keyword
from dataclasses import dataclass, replace

from .functions import FUNCTIONS
from .nodes import (
    KINDS,
    UPDATES,
    Call,
    Const,
    Expr,
    Let,
    Load,
    Local,
    Loop,
    Param,
    Store,
    Update,
    Var,
)
from .walking import parts

# Names that the printed programs use for themselves.
TAKEN = set(
    """np f32 i32 i16 i8 u8 start stop range min max abs float double int bool char
    short long signed unsigned void const t power floordiv modulo signf maximumf
    minimumf sign_whole max_whole min_whole block_add block_maximum block_minimum
    struct switch case default do goto static extern auto register volatile sizeof
    typedef union enum template typename this new delete operator private public
    """.split()
) | set(FUNCTIONS)


@dataclass(frozen=True)
class Scope:
    """What may be named at one place of a kernel."""

    readable: frozenset
    writable: frozenset
    scalars: frozenset  # Params and Locals
    loops: frozenset = frozenset()  # names of loops

    def names(self):
        return {x.name for x in self.readable | self.scalars} | self.loops

    def fresh(self, name):
        """ValueError unless `name` can be given to something new here."""
        if name in self.names():
            raise ValueError(f"{name!r} is already defined here: choose another name")
        word = not name.isidentifier() or keyword.iskeyword(name)
        if word or name in TAKEN or name.startswith("__"):
            raise ValueError(f"{name!r} can't be a name in Python and in CUDA C")


def check(kernel):
    """`kernel`, if names are defined before use, and ranks and dtypes fit.

    Raises ValueError that says what doesn't.
    """
    memory = *kernel.outputs, *kernel.inputs, *kernel.scratch
    scope = Scope(frozenset(), frozenset(), frozenset())
    for buffer in memory:
        scope.fresh(buffer.name)
        scope = replace(scope, readable=scope.readable | {buffer})
    for param in kernel.params:
        scope.fresh(param.name)
        scope = replace(scope, scalars=scope.scalars | {param})
    writable = frozenset((*kernel.outputs, *kernel.scratch))
    check_body(kernel.body, replace(scope, writable=writable))
    check_parallel(kernel.body)
    return kernel


def check_body(body, scope):
    for statement in body:
        for part in parts(statement):
            if isinstance(part, Expr) and part is not getattr(statement, "local", None):
                check_expression(part, scope)
        scope = CHECKS[type(statement)](statement, scope)


def check_let(let, scope):
    scope.fresh(let.local.name)
    same_dtype(let.local, let.value, let.local.name)
    return replace(scope, scalars=scope.scalars | {let.local})


def check_update(update, scope):
    defined(
        update.local in scope.scalars and isinstance(update.local, Local),
        update.local.name,
    )
    same_dtype(update.local, update.value, update.local.name)
    known_update(update.fn)
    return scope


def check_store(store, scope):
    if store.buffer not in scope.writable:
        raise ValueError(f"{store.buffer.name} is written and is no output or scratch")
    check_index(store)
    same_dtype(store.buffer, store.value, store.buffer.name)
    known_update(store.fn or "add")
    return scope


def check_loop(loop, scope):
    scope.fresh(loop.var)
    if loop.kind not in KINDS:
        raise ValueError(f"loop {loop.var}: no kind {loop.kind!r}; there are {KINDS}")
    check_body(loop.body, replace(scope, loops=scope.loops | {loop.var}))
    return scope


CHECKS = {Let: check_let, Update: check_update, Store: check_store, Loop: check_loop}


def check_expression(node, scope):
    if isinstance(node, Var):
        defined(node.name in scope.loops, node.name)
    elif isinstance(node, Param | Local):
        defined(node in scope.scalars, node.name)
    elif isinstance(node, Load):
        defined(node.buffer in scope.readable, node.buffer.name)
        check_index(node)
    elif isinstance(node, Call):
        check_call(node)
    for part in parts(node):
        check_expression(part, scope)


def check_call(node):
    if node.fn not in FUNCTIONS:
        raise ValueError(f"no function {node.fn!r}; there are {', '.join(FUNCTIONS)}")
    wanted = FUNCTIONS[node.fn].arity
    if len(node.args) != wanted:
        raise ValueError(f"{node.fn} takes {wanted} arguments, found {len(node.args)}")
    values = node.args[1:] if node.fn == "where" else node.args
    found = {a.dtype.name for a in values}
    if len(found) > 1:
        raise ValueError(f"{node.fn} of {', '.join(sorted(found))}: cast to one dtype")


def check_index(node):
    """A load or store has an integer for each dimension, constants in range."""
    name, shape = node.buffer.name, node.buffer.shape
    if len(node.index) != len(shape):
        raise ValueError(f"{name}{list(shape)} is indexed by {len(node.index)} numbers")
    for i, n in zip(node.index, shape):
        if i.dtype.kind not in "iu":
            raise ValueError(f"{name} is indexed by a {i.dtype}: cast it to int64")
        if isinstance(i, Const) and not 0 <= i.value < n:
            raise ValueError(f"{name}{list(shape)} has no index {i.value}")


def check_parallel(body):
    """Beside a parallel loop at the top stand only its like, and scalars."""
    loops = [s for s in body if not isinstance(s, Let)]
    shapes = {(getattr(s, "kind", None), getattr(s, "extent", None)) for s in loops}
    if any(kind == "parallel" for kind, _ in shapes) and len(shapes) > 1:
        raise ValueError(
            "a part of a parallel loop would run beside another part of the kernel: "
            "all loops at the top must be parallel over one extent, or none"
        )


def defined(known, name):
    if not known:
        raise ValueError(f"{name!r} is used where it isn't defined")


def same_dtype(target, value, name):
    if target.dtype != value.dtype:
        raise ValueError(
            f"{name} is {target.dtype} and gets {value.dtype}: cast the value"
        )


def known_update(fn):
    if fn not in UPDATES:
        raise ValueError(f"no update {fn!r}; there are {', '.join(UPDATES)}")
