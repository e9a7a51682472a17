"""What became of a compiled function, in words. (Chapters 7 to 9.)"""

from collections import Counter

from .graph import FUSED

MOST_GUARDS = 8


class Explanation:
    """For each variant: what was captured, which kernels were made, what was not."""

    def __init__(self, name, variants, refused):
        self.name, self.refused = name, refused
        self.variants = [v for known in variants.values() for v in known]

    def __repr__(self):
        if not self.variants and not self.refused:
            return f"{self.name}: not compiled yet, which the first call does"
        lines = [line for v in self.variants for line in described(self.name, v)]
        lines += [f"{self.name} runs eagerly: {why}" for why in self.refused.values()]
        return "\n".join(lines)

    @property
    def kernels(self):
        """The generated kernels of all variants: steps with `.source` and `.kernel`."""
        return [s for v in self.variants for s in v.session.assembly.steps if s.kernel]


def described(name, variant):
    """The lines on one variant."""
    graph, steps = variant.captured.graph, variant.session.assembly.steps
    executor = variant.session.executor
    yield f"{name}, compiled in {variant.seconds:.2f} s"
    yield (
        f"  captured {len(graph)} operations; {len(graph.inputs)} inputs, "
        f"{len(variant.captured.writes)} tensors written, "
        f"{len(variant.captured.grads)} gradients"
    )
    fused = [n for n in variant.fused.nodes if n.op is FUSED]
    members = sum(len(n.attrs["body"]) for n in fused)
    yield (
        f"  {len(steps)} instructions: {len(fused)} kernels of {members} operations, "
        f"{sum(s.name == 'matmul' for s in steps)} matrix products"
    )
    made = Counter((s.name, first_shape(s.node)) for s in steps if s.kernel)
    for (kernel, shape), count in made.items():
        yield f"    {count:>3} x {kernel} {shape}"
    for (step, note), count in Counter(
        (s.name, s.note) for s in steps if s.note
    ).items():
        yield f"    {count:>3} x {step}, by its row: {note}"
    plan = executor.plan
    yield f"  arena of {plan.nbytes / 1e6:.2f} MB for {len(plan.offsets)} buffers"
    threads = executor.threads
    if threads > 1:
        yield f"  {threads} threads share {executor.shared()} of the instructions"
    for _, words in variant.captured.guards[:MOST_GUARDS]:
        yield f"  holds as long as {words}"


def first_shape(node):
    """The shape of a node's result, or of its first."""
    return node.shape[0] if isinstance(node.dtype, tuple) else node.shape
