"""Right and wrong answers to lab 02, for the gate."""

RIGHT = {
    "logsumexp_rule": [
        """
def logsumexp_rule(g, x, dims):
    powers = (x - x.detach().amax(dims, keepdim=True)).exp()
    total = powers.sum(dims, keepdim=True)
    return powers / total * g.reshape(total.shape)
""",
        """
def logsumexp_rule(g, x, out, dims, keepdim):
    if not keepdim:
        for d in sorted(dims):
            g, out = g.unsqueeze(d), out.unsqueeze(d)
    return dl.ops.mul(g, (x - out).exp())
""",
    ],
    "bilinear_rules": [
        """
def bilinear_rules():
    def x_rule(weight, y, g):
        K, M, N = weight.shape
        table = (weight.reshape(K * M, N) @ y.T).reshape(K, M, len(y))
        return (table * g.T.reshape(K, 1, len(y))).sum(0).T

    def weight_rule(x, y, g):
        return dl.stack([(x * g[:, k:k + 1]).T @ y for k in range(g.shape[1])])

    def y_rule(x, weight, g):
        return sum((x * g[:, k:k + 1]) @ weight[k] for k in range(g.shape[1]))

    return [x_rule, weight_rule, y_rule]
""",
        """
def along(g, weight, other):
    return (g.T.unsqueeze(2) * (other @ weight)).sum(0)


def bilinear_rules():
    return (
        lambda g, weight, y: along(g, weight.mT, y),
        lambda g, x, y: x.T @ (g.T.unsqueeze(2) * y),
        lambda g, x, weight: along(g, weight, x),
    )
""",
    ],
    "propagate": [
        """
def propagate(seeds, keep_graph=False):
    sums, waiting, leaves = {}, {}, []
    def add(vertex, part):
        sums[vertex] = part if vertex not in sums else sums[vertex] + part
    for vertex, g in seeds:
        add(vertex, g)
    order = dl.autodiff.topological_order(list(sums))
    for vertex in order:
        for edge in before(vertex):
            waiting[edge] = waiting.get(edge, 0) + 1
    for vertex in [v for v in sums if not isinstance(v, Node) and v not in waiting]:
        yield vertex, dl.autodiff.hooked(vertex, sums[vertex])
    for vertex in order:
        if not isinstance(vertex, Node):
            continue
        if vertex in sums:
            g = dl.autodiff.hooked(vertex, sums.pop(vertex))
            yield vertex, g
            for edge, part in vertex.pull(g):
                add(edge, part)
            if not keep_graph:
                vertex.free()
        for edge in before(vertex):
            waiting[edge] -= 1
            if not waiting[edge] and edge in sums and not isinstance(edge, Node):
                yield edge, dl.autodiff.hooked(edge, sums.pop(edge))
""",
        """
from collections import deque

def propagate(seeds, keep_graph=False):
    arrived = {}
    for vertex, g in seeds:
        arrived.setdefault(vertex, []).append(g)
    left = uses_of(arrived)
    nodes, leaves = deque(), deque()
    def line_up(vertex):
        (nodes if isinstance(vertex, Node) else leaves).append(vertex)
    for vertex in arrived:
        if not left[vertex]:
            line_up(vertex)
    while nodes or leaves:
        vertex = leaves.popleft() if leaves else nodes.popleft()
        parts = arrived.pop(vertex, [])
        if parts:
            whole = parts[0]
            for part in parts[1:]:
                whole = whole + part
            whole = dl.autodiff.hooked(vertex, whole)
            yield vertex, whole
            if isinstance(vertex, Node):
                for edge, part in vertex.pull(whole):
                    arrived.setdefault(edge, []).append(part)
                keep_graph or vertex.free()
        for edge in before(vertex):
            left[edge] -= 1
            if not left[edge]:
                line_up(edge)
""",
    ],
    "hessian_vector": [
        """
def hessian_vector(loss, parameters, vectors):
    zeros = [dl.zeros_like(p) for p in parameters]
    slopes = dl.grad(loss(), parameters, create_graph=True, allow_unused=True)
    along = 0
    for slope, v in zip(slopes, vectors):
        if slope is not None:
            along = along + (slope * v).sum()
    if not getattr(along, "requires_grad", False):
        return zeros
    found = dl.grad(along, parameters, allow_unused=True)
    return tuple(z if f is None else f for z, f in zip(zeros, found))
""",
        """
def hessian_vector(loss, parameters, vectors):
    slopes = dl.grad(loss(), parameters, create_graph=True, allow_unused=True)
    totals = [dl.zeros_like(p) for p in parameters]
    for slope, v in zip(slopes, vectors):
        if slope is None or not slope.requires_grad:
            continue
        parts = dl.grad(slope, parameters, v, retain_graph=True, allow_unused=True)
        totals = [t if p is None else t + p for t, p in zip(totals, parts)]
    return totals
""",
    ],
}

SHARES = "shares = (x - out.reshape(column)).exp()"
SUM_UP = "sums[edge] = sums[edge] + part if edge in sums else part"
HOOKED = "g = dl.autodiff.hooked(vertex, sums.pop(vertex))"
NEXT = "ready.insert(0 if isinstance(edge, Node) else len(ready), edge)"
FOR_Y = """def for_y(g, x, weight):
        rows = g.T.unsqueeze(2) * x
"""

PULL = """            if isinstance(vertex, Node):
                for edge, part in vertex.pull(g):
                    sums[edge] = sums[edge] + part if edge in sums else part
                if not keep_graph:
                    vertex.free()
        for edge in before(vertex):
            uses[edge] -= 1
"""
PULL_AND_COUNT = """\
            passed = list(vertex.pull(g)) if isinstance(vertex, Node) else []
            for edge, part in passed:
                sums[edge] = sums[edge] + part if edge in sums else part
            if isinstance(vertex, Node) and not keep_graph:
                vertex.free()
        for edge, _ in passed:
            uses[edge] -= 1
"""
PRODUCT = "found = dl.grad(bent, parameters, along, allow_unused=True)"
BEFORE = "    found = [None] * len(parameters)\n"
ZEROS = (
    "return [dl.zeros_like(p) if h is None else h for p, h in zip(parameters, found)]"
)

WRONG = {
    "logsumexp_rule": [
        ("lost dimensions stay lost", "return g.reshape(column) * shares",
         "return g * shares"),
        ("the result not brought back", "(x - out.reshape(column))", "(x - out)"),
        ("only the exponentials", SHARES, "shares = x.exp()"),
        ("exponentials before the division", SHARES,
         "shares = x.exp() / out.exp().reshape(column)"),
        ("the sum over everything", SHARES, "shares = x.exp() / x.exp().sum()"),
        ("g forgotten", "return g.reshape(column) * shares", "return shares"),
        ("g summed", "return g.reshape(column) * shares", "return g.sum() * shares"),
        ("the sign turned", "(x - out.reshape(column))", "(out.reshape(column) - x)"),
        ("the result taken as constant", "(x - out.reshape(column))",
         "(x - out.detach().reshape(column))"),
        ("constant shares", "return g.reshape(column) * shares",
         "return g.reshape(column) * shares.detach()"),
        ("the wrong dimensions kept", "1 if d in dims", "1 if d not in dims"),
        ("only the first dimension", "1 if d in dims", "1 if d == dims[0]"),
        ("the largest takes it all", SHARES,
         "shares = (x == x.amax(dims, keepdim=True)).to(x.dtype)"),
    ],
    "bilinear_rules": [
        ("weight not turned for x", "(columns @ weight.mT)", "(columns @ weight)"),
        ("classes not summed for x", "return (columns @ weight.mT).sum(0)",
         "return (columns @ weight.mT)[0]"),
        ("only the first class for y", "return (rows @ weight).sum(0)",
         "return (rows @ weight)[0]"),
        ("the mean over classes", "return (rows @ weight).sum(0)",
         "return (rows @ weight).mean(0)"),
        ("g forgotten for the weight", "return rows.mT @ y",
         "return dl.zeros_like(rows).mT @ y + x.T @ y"),
        ("x and y swapped in the weight", "return rows.mT @ y", "return y.T @ rows"),
        ("rules in the wrong order", "return for_x, for_weight, for_y",
         "return for_y, for_weight, for_x"),
        ("one rule left out", "return for_x, for_weight, for_y",
         "return for_x, for_weight, None"),
        ("constant x in the rule of the weight", "return rows.mT @ y",
         "return rows.mT.detach() @ y"),
        ("y through NumPy", "columns = g.T.unsqueeze(2) * y",
         "columns = g.T.unsqueeze(2) * dl.tensor(y.detach().numpy())"),
        ("asks for all", "def for_weight(g, x, y):",
         "def for_weight(g, x, weight, y):"),
        ("asks for the result", "def for_x(g, weight, y):",
         "def for_x(g, weight, y, out):"),
        ("all letters at once", "return rows.mT @ y",
         "return (rows.unsqueeze(3) * y.unsqueeze(1)).sum(1)"),
        ("all letters at once, for y", FOR_Y, FOR_Y + "        "
         "return (rows.unsqueeze(3) * weight.unsqueeze(1)).sum(2).sum(0)\n"),
    ],
    "propagate": [
        ("the second part overwrites the first", SUM_UP, "sums[edge] = part"),
        ("the first part stays", SUM_UP, "sums.setdefault(edge, part)"),
        ("added in place", SUM_UP,
         "sums[edge] = sums[edge].add_(part) if edge in sums else part"),
        ("seeds overwrite each other",
         "sums[vertex] = sums[vertex] + g if vertex in sums else g",
         "sums[vertex] = g"),
        ("a seed starts before its uses are done",
         "[vertex for vertex in sums if uses[vertex] == 0]", "list(sums)"),
        ("a use that passes nothing on is not counted as done", PULL, PULL_AND_COUNT),
        ("stops at a vertex to which nothing came", "        if vertex in sums:\n",
         "        if vertex not in sums:\n            continue\n"
         "        if vertex in sums:\n"),
        ("goes on at the first use", "if uses[edge] == 0:", "if uses[edge] >= 0:"),
        ("counts one edge to a vertex once", "for edge in before(vertex):\n"
         "            uses[edge] -= 1", "for edge in dict.fromkeys(before(vertex)):\n"
         "            uses[edge] -= 1"),
        ("leaves last", NEXT,
         "ready.insert(len(ready) if isinstance(edge, Node) else 0, edge)"),
        ("in the order in which they get ready", NEXT, "ready.insert(0, edge)"),
        ("only nodes are yielded", "            yield vertex, g\n",
         "            if isinstance(vertex, Node):\n                yield vertex, g\n"),
        ("only leaves are yielded", "            yield vertex, g\n",
         "            if not isinstance(vertex, Node):\n"
         "                yield vertex, g\n"),
        ("pulled before it is yielded",
         "            yield vertex, g\n            if isinstance(vertex, Node):\n"
         "                for edge, part in vertex.pull(g):\n",
         "            parts = isinstance(vertex, Node) and list(vertex.pull(g))\n"
         "            yield vertex, g\n            if isinstance(vertex, Node):\n"
         "                for edge, part in parts:\n"),
        ("nothing freed", "if not keep_graph:", "if False:"),
        ("always freed", "if not keep_graph:", "if True:"),
        ("hooks forgotten", HOOKED, "g = sums.pop(vertex)"),
        ("what hooks return is not pulled", HOOKED + "\n            yield vertex, g\n",
         "g = sums.pop(vertex)\n"
         "            yield vertex, dl.autodiff.hooked(vertex, g)\n"),
        ("hooks called, their answer dropped", HOOKED,
         "g = sums.pop(vertex); dl.autodiff.hooked(vertex, g)"),
        ("sums not recorded", SUM_UP,
         "sums[edge] = (sums[edge] + part).detach() if edge in sums else part"),
        ("a leaf handed on with each part", SUM_UP, SUM_UP + "\n"
         "                    if not isinstance(edge, Node) and uses[edge] > 1:\n"
         "                        yield edge, sums[edge]"),
        ("gathered in a list", "def propagate(seeds, keep_graph=False):",
         "def propagate(seeds, keep_graph=False):\n"
         "    return iter(list(walk(seeds, keep_graph)))\n\n\n"
         "def walk(seeds, keep_graph=False):"),
    ],
    "hessian_vector": [
        ("the gradient itself", PRODUCT, "found = slopes"),
        ("v forgotten", PRODUCT, "found = dl.grad(bent, parameters, "
         "[dl.ones_like(v) for v in along], allow_unused=True)"),
        ("each slope alone, so no mixed derivatives", PRODUCT,
         "found = [dl.grad(s, p, v, retain_graph=True, allow_unused=True)[0] "
         "if s is not None and s.requires_grad else None "
         "for s, p, v in zip(slopes, parameters, vectors)]"),
        ("only the first slope", PRODUCT, "found = dl.grad(bent[0], parameters, "
         "along[0], allow_unused=True)"),
        ("linear slopes not left out",
         "pairs = [(s, v) for s, v in pairs if s.requires_grad]",
         "pairs = list(pairs)"),
        ("unused slopes not left out",
         "pairs = [(s, v) for s, v in zip(slopes, vectors) if s is not None]",
         "pairs = list(zip(slopes, vectors))"),
        ("None where there should be zeros", ZEROS, "return list(found)"),
        ("ones where there should be zeros", ZEROS,
         ZEROS.replace("zeros_like", "ones_like")),
        ("nothing to differentiate goes unnoticed", "    if pairs:\n",
         "    if True:\n"),
        ("the walk is not recorded", "parameters, create_graph=True, allow_unused=True",
         "parameters, allow_unused=True"),
        ("by a difference of gradients", BEFORE,
         "    for p, v in zip(parameters, vectors):\n"
         "        p.detach().add_(1e-5 * v)\n"
         "    far = dl.grad(loss(), parameters, allow_unused=True)\n"
         "    for p, v in zip(parameters, vectors):\n"
         "        p.detach().sub_(1e-5 * v)\n"
         "    return [dl.zeros_like(p) if f is None else (f - s) / 1e-5 "
         "for p, f, s in zip(parameters, far, slopes)]\n"),
        ("the loss evaluated again", "slopes = dl.grad(loss(), parameters,",
         "loss()\n    slopes = dl.grad(loss(), parameters,"),
        ("into .grad", BEFORE, BEFORE +
         "    for s, v in pairs:\n        s.backward(v, retain_graph=True)\n"),
        ("row by row of the Hessian", PRODUCT,
         "rows = [dl.grad(s.reshape(-1)[i], parameters, retain_graph=True, "
         "allow_unused=True) for s in bent for i in range(s.numel())]\n"
         "        " + PRODUCT),
        ("requires_grad switched off", ZEROS,
         "[p.requires_grad_(False) for p in parameters]\n    " + ZEROS),
        ("written into the parameters", ZEROS,
         "[p.detach().add_(0 * v) for p, v in zip(parameters, vectors)]\n    " + ZEROS),
        ("a minus too many", "bent, along = zip(*pairs)",
         "bent, along = zip(*[(s, -v) for s, v in pairs])"),
    ],
}  # fmt: skip
