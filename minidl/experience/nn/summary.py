"""What a model is made of and what it costs: shapes, parameters, FLOPs, layer by layer.

Counted while the model runs once: hooks on each module note what went in and came out,
and a Ledger the arithmetic in between. (Chapter 3.)
"""

from dataclasses import dataclass

from ...framework.cost import Ledger
from ...framework.tape import no_grad


@dataclass(frozen=True)
class Row:
    """One call of one module; `parameters` and `flops` include those below it."""

    name: str
    kind: str
    depth: int
    shape: tuple  # of the result
    parameters: int
    flops: int  # of this call, forward

    def cells(self):
        name, counts = "  " * self.depth + self.name, (self.parameters, self.flops)
        return name, self.kind, self.shape, *(f"{count:,}" for count in counts)


@dataclass(frozen=True)
class Summary:
    rows: tuple

    @property
    def parameters(self):
        return self.rows[0].parameters

    @property
    def flops(self):
        return self.rows[0].flops

    def __repr__(self):
        lines = [("", "layer", "result", "parameters", "FLOPs")]
        lines += [r.cells() for r in self.rows]
        wide = [max(len(str(line[i])) for line in lines) for i in range(5)]
        return "\n".join(
            f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c!s:<{wide[2]}}  {d:>{wide[3]}}  "
            f"{e:>{wide[4]}}".rstrip()
            for a, b, c, d, e in lines
        )


def summary(model, *inputs, depth=3):
    """A Summary of `model`, run once on `inputs`, down to `depth` levels of modules."""
    rows, removers = [], []
    with no_grad(), Ledger() as ledger:
        for name, module, level in walk(model, depth):
            removers += watch(rows, ledger, name, module, level)
        modes = [(module, module.training) for module in model.modules()]
        try:
            model.eval()(*inputs)
        finally:
            for module, mode in modes:
                module.training = mode
            for remove in removers:
                remove()
    return Summary(tuple(rows))


def walk(module, depth, name="", level=0):
    """(name, module, level) of `module` and what is below it."""
    yield name or "model", module, level
    if level < depth:
        for child_name, child in module.named_children():
            yield from walk(child, depth, child_name, level + 1)


def watch(rows, ledger, name, module, level):
    """Hooks that put a Row into `rows`, in the order in which modules are entered."""
    open_calls = []

    def enter(module, inputs):
        open_calls.append((len(rows), ledger.flops))
        rows.append(None)

    def leave(module, inputs, out):
        place, before = open_calls.pop()
        count = sum(p.numel() for p in module.parameters())
        flops = ledger.flops - before
        kind = type(module).__name__
        rows[place] = Row(name, kind, level, shape_of(out), count, flops)

    yield module.register_forward_pre_hook(enter)
    yield module.register_forward_hook(leave)


def shape_of(out):
    first = out[0] if isinstance(out, tuple) else out
    return tuple(first.shape)
